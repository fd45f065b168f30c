package redis_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/hookward/hookward/caddy/stores/redis"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/e2e/hosts"
)

func TestTLSAndPassword(t *testing.T) {
	ca := hosts.NewCA(t)
	server := hosts.StartRedisTLS(t, ca, "--requirepass", "s3cret-of-the-test")
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(ca.PEM)
	for _, c := range []struct {
		name     string
		tls      *tls.Config
		password string
		works    bool
	}{
		{"right", &tls.Config{RootCAs: trusted}, "s3cret-of-the-test", true},
		{"unknown authority", &tls.Config{}, "s3cret-of-the-test", false},
		{"no TLS", nil, "s3cret-of-the-test", false},
		{"wrong password", &tls.Config{RootCAs: trusted}, "wr0ng-one", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			sees, logs := observer.New(zapcore.DebugLevel)
			s := openWith(t, redis.Options{Addresses: []string{server.Address}, TLS: c.tls, Password: c.password, Timeout: patient}, zap.New(sees))
			state, err := claimIn(s, 1, 1)
			if works := err == nil && state == core.Claimed; works != c.works {
				t.Errorf("claim = %d, %v", state, err)
			}
			for _, entry := range logs.All() {
				if text := fmt.Sprint(entry.Message, entry.ContextMap()); strings.Contains(text, c.password) {
					t.Errorf("the password is in the log: %s", text)
				}
			}
		})
	}
}

func TestWarnsOfEviction(t *testing.T) {
	for policy, want := range map[string]int{"noeviction": 0, "allkeys-lru": 1} {
		server := hosts.StartRedis(t, "--maxmemory-policy", policy)
		sees, logs := observer.New(zapcore.WarnLevel)
		openWith(t, redis.Options{Addresses: []string{server.Address}}, zap.New(sees))
		if got := logs.FilterMessageSnippet("maxmemory-policy is " + policy).Len(); got != want {
			t.Errorf("%s: %d warnings, want %d", policy, got, want)
		}
	}
}

// A user of its own needs what the README of examples/fleet says, and no more.
func TestUserOfItsOwn(t *testing.T) {
	server := hosts.StartRedis(t)
	rights := []string{"+set", "+get", "+del", "+pexpire", "+eval", "+info", "+ping"}
	server.Ask(t, append([]string{"ACL", "SETUSER", "gate", "on", ">s3cret", "~hookward:*"}, rights...)...)
	readme, err := os.ReadFile("../../../examples/fleet/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if want := "~hookward:* " + strings.Join(rights, " "); !strings.Contains(string(readme), want) {
		t.Errorf("the README does not say %q", want)
	}
	sees, logs := observer.New(zapcore.WarnLevel)
	s := openWith(t, redis.Options{Addresses: []string{server.Address}, Username: "gate", Password: "s3cret", Timeout: patient}, zap.New(sees))
	mustClaim(t, s, 1, 1, core.Claimed)
	mustClaim(t, s, 1, 1, core.Claimed) // renewed
	if err := commitIn(s, 1, 1); err != nil {
		t.Error(err)
	}
	mustClaim(t, s, 2, 2, core.Claimed)
	if err := s.Release(context.Background(), storetest.NewToken(2), []core.Key{storetest.NewKey(2)}); err != nil {
		t.Error(err)
	}
	for _, entry := range logs.All() {
		t.Errorf("log: %s %v", entry.Message, entry.ContextMap())
	}
}

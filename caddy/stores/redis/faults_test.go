package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/caddy/stores/redis"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/e2e/hosts"
)

const (
	lease  = time.Hour
	window = 24 * time.Hour
	// patient is a time-out for a server that answers, however busy the machine
	// is; impatient is one for a server that does not.
	patient   = time.Minute
	impatient = 100 * time.Millisecond
)

// durable makes a server that, being killed, loses nothing it has answered for:
// it writes before it answers. With everysec it may answer first, while an
// earlier fsync takes its time.
var durable = []string{"--appendonly", "yes", "--appendfsync", "always"}

func openAt(t *testing.T, addresses ...string) *redis.Store {
	return openWith(t, redis.Options{Addresses: addresses, Timeout: patient}, zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)))
}

func openWith(t *testing.T, o redis.Options, log *zap.Logger) *redis.Store {
	s := redis.Open(o, log)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// claimIn claims event n for the delivery with the number token.
func claimIn(s stores.Store, token, n int) (core.State, error) {
	var states [1]core.State
	err := s.Claim(context.Background(), storetest.NewToken(uint64(token)), []core.Key{storetest.NewKey(uint64(n))}, lease, states[:])
	return states[0], err
}

func commitIn(s stores.Store, token, n int) error {
	return s.Commit(context.Background(), storetest.NewToken(uint64(token)), []core.Key{storetest.NewKey(uint64(n))}, window)
}

// until polls for what must come true.
func until(t *testing.T, what string, true func() bool) {
	t.Helper()
	for end := time.Now().Add(patient); !true(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// mustClaim claims event n as a provider would send it: again, as another
// delivery, while there is no answer, or one before is still pending.
func mustClaim(t *testing.T, s stores.Store, token, n int, want core.State) {
	t.Helper()
	const another = 1_000_000
	var got core.State
	until(t, fmt.Sprintf("event %d is claimed or done", n), func() (answered bool) {
		var err error
		got, err = claimIn(s, token, n)
		token += another
		return err == nil && got != core.Pending
	})
	if got != want {
		t.Fatalf("claim of %d = %d, want %d", n, got, want)
	}
}

// A server that forgets lets through again what comes again: that is the
// documented case. What is not sent again stays delivered once.
func TestRestartedEmpty(t *testing.T) {
	server := hosts.StartRedis(t)
	s := openAt(t, server.Address)
	for n := range 10 {
		mustClaim(t, s, n, n, core.Claimed)
	}
	for n := range 5 {
		if err := commitIn(s, n, n); err != nil {
			t.Fatal(err)
		}
	}
	server.Kill()
	for n := 5; n < 10; n++ {
		if err := commitIn(s, n, n); err == nil {
			t.Error("a commit without a server succeeded")
		}
	}
	server.Start(t)
	mustClaim(t, s, 100, 100, core.Claimed)
	for n := range 10 {
		want := core.Claimed // forgotten
		if n >= 5 {
			want = core.Done // committed late, and so remembered
		}
		mustClaim(t, s, 200+n, n, want)
	}
}

// A server that gave no answer is not asked again, and after a second nobody
// waits for it.
func TestPaused(t *testing.T) {
	server := hosts.StartRedis(t)
	proxy := hosts.StartProxy(t, server.Address)
	s := openAt(t, proxy.Address)
	mustClaim(t, s, 1, 1, core.Claimed)
	server.Pause()
	defer server.Resume()
	s.SetTimeout(impatient)
	if err := commitIn(s, 1, 1); err == nil {
		t.Error("a commit to a paused server succeeded")
	}
	for n := range 1000 {
		if _, err := claimIn(s, 2, 2+n); err == nil {
			t.Fatal("a claim from a paused server succeeded")
		}
	}
	if asked := len(proxy.Asked()); asked != 1 {
		t.Errorf("the paused server was asked for %d claims more", asked-1)
	}
	server.Resume()
	s.SetTimeout(patient)
	mustClaim(t, s, 3, 5000, core.Claimed)
	mustClaim(t, s, 4, 1, core.Done) // the commit was made up for
	mustClaim(t, s, 4, 2, core.Claimed)
}

// The first connection of all must not make a request wait, either.
func TestPausedFromTheStart(t *testing.T) {
	server := hosts.StartRedis(t)
	server.Pause()
	defer server.Resume()
	s := openAt(t, server.Address)
	s.SetTimeout(impatient)
	if _, err := claimIn(s, 1, 1); err == nil {
		t.Error("a claim from a paused server succeeded")
	}
	server.Resume()
	s.SetTimeout(patient)
	mustClaim(t, s, 2, 1, core.Claimed)
}

func TestNobodyThereAtFirst(t *testing.T) {
	server := hosts.StartRedis(t)
	server.Stop()
	s := openAt(t, server.Address)
	if _, err := claimIn(s, 1, 1); err == nil {
		t.Error("a claim from nobody succeeded")
	}
	server.Start(t)
	mustClaim(t, s, 2, 1, core.Claimed)
}

func TestAnswerLost(t *testing.T) {
	server := hosts.StartRedis(t)
	proxy := hosts.StartProxy(t, server.Address)
	s := openAt(t, proxy.Address)
	for n := range 20 {
		proxy.CutAnswers(1)
		mustClaim(t, s, n, n, core.Claimed) // it knows its own token
		proxy.CutAnswers(1)
		if err := commitIn(s, n, n); err != nil {
			t.Errorf("a commit whose answer was lost: %v", err)
		}
		mustClaim(t, s, 100+n, n, core.Done)
	}
	f := &fleet{stores: []stores.Store{s, openAt(t, server.Address)}}
	server.Ask(t, "FLUSHALL")
	f.run(t, func(struck func()) { proxy.CutAnswers(10); struck() })
	f.check(t, 1)
	if proxy.Cut() > 0 {
		t.Error("no answers were cut")
	}
}

func TestSilent(t *testing.T) {
	server := hosts.StartRedis(t)
	proxy := hosts.StartProxy(t, server.Address)
	s := openAt(t, proxy.Address)
	mustClaim(t, s, 1, 1, core.Claimed)
	proxy.Hold()
	s.SetTimeout(impatient)
	if _, err := claimIn(s, 2, 2); err == nil {
		t.Error("a claim without an answer succeeded")
	}
	if err := commitIn(s, 1, 1); err == nil {
		t.Error("a commit without an answer succeeded")
	}
	proxy.Pass()
	s.SetTimeout(patient)
	mustClaim(t, s, 4, 1, core.Done)
	mustClaim(t, s, 4, 2, core.Claimed) // and the claim undone
}

// A full server refuses claims at once, and takes what settles them.
func TestFull(t *testing.T) {
	server := hosts.StartRedis(t)
	s := openAt(t, server.Address)
	mustClaim(t, s, 1, 1, core.Claimed)
	mustClaim(t, s, 2, 2, core.Claimed)
	server.Ask(t, "CONFIG", "SET", "maxmemory", "1mb")
	if state, err := claimIn(s, 3, 3); err == nil || state != core.Unknown {
		t.Errorf("a claim from a full server = %d, %v", state, err)
	}
	if err := commitIn(s, 1, 1); err != nil {
		t.Errorf("a commit to a full server: %v", err)
	}
	if err := s.Release(context.Background(), storetest.NewToken(2), []core.Key{storetest.NewKey(2)}); err != nil {
		t.Errorf("a release on a full server: %v", err)
	}
	server.Ask(t, "CONFIG", "SET", "maxmemory", "0")
	mustClaim(t, s, 4, 1, core.Done)
	mustClaim(t, s, 4, 2, core.Claimed)
	mustClaim(t, s, 4, 3, core.Claimed)
}

// A sender that leaves is no fault of the server's.
func TestCallerLeaves(t *testing.T) {
	server := hosts.StartRedis(t)
	proxy := hosts.StartProxy(t, server.Address)
	sees, logs := observer.New(zap.WarnLevel)
	s := openWith(t, redis.Options{Addresses: []string{proxy.Address}, Timeout: patient}, zap.New(sees))
	mustClaim(t, s, 1, 1, core.Claimed)
	proxy.Hold()
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 1)
	go func() {
		var states [1]core.State
		failed <- s.Claim(ctx, storetest.NewToken(2), []core.Key{storetest.NewKey(2)}, lease, states[:])
	}()
	until(t, "the server is asked", func() bool { return len(proxy.Asked()) == 2 })
	cancel()
	if err := <-failed; err == nil {
		t.Error("a claim that nobody waited for succeeded")
	}
	proxy.Pass()
	mustClaim(t, s, 4, 2, core.Claimed) // what was claimed is released
	for _, entry := range logs.All() {
		t.Errorf("the log says %q", entry.Message)
	}
}

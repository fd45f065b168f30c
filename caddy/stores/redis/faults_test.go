package redis_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/caddy/stores/redis"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/e2e/hosts"
)

const (
	lease  = 30 * time.Second
	window = time.Hour
	// timeout is longer than the default: the machine may be busy with other tests.
	timeout = 200 * time.Millisecond
	// oneDeadline is what a call may take at most, for the same reason.
	oneDeadline = 2 * timeout
)

// durable makes a server that, being killed, loses nothing it has answered for:
// it writes before it answers.
var durable = []string{"--appendonly", "yes"}

func openAt(t *testing.T, addresses ...string) *redis.Store {
	return openWith(t, redis.Options{Addresses: addresses, Timeout: timeout}, zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)))
}

func openWith(t *testing.T, o redis.Options, log *zap.Logger) *redis.Store {
	s := redis.Open(o, log)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// claimIn claims event n for the delivery with the number token, and holds the
// store to its deadline.
func claimIn(t *testing.T, s stores.Store, token, n int) (core.State, error) {
	t.Helper()
	var states [1]core.State
	start := time.Now()
	err := s.Claim(context.Background(), storetest.NewToken(uint64(token)), []core.Key{storetest.NewKey(uint64(n))}, lease, states[:])
	if took := time.Since(start); took > oneDeadline {
		t.Errorf("a claim took %v", took)
	}
	return states[0], err
}

func commitIn(t *testing.T, s stores.Store, token, n int) error {
	t.Helper()
	start := time.Now()
	err := s.Commit(context.Background(), storetest.NewToken(uint64(token)), []core.Key{storetest.NewKey(uint64(n))}, window)
	if took := time.Since(start); took > oneDeadline {
		t.Errorf("a commit took %v", took)
	}
	return err
}

// until polls for what must come true.
func until(t *testing.T, what string, true func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !true(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func mustClaim(t *testing.T, s stores.Store, token, n int, want core.State) {
	t.Helper()
	if got, err := claimIn(t, s, token, n); err != nil || got != want {
		t.Fatalf("claim of %d = %d, %v, want %d", n, got, err, want)
	}
}

// fleet is many deliveries of the same events at once, while something goes
// wrong. Each event is delivered again and again until it is done, as a
// provider would; backend counts how often it was let through.
type fleet struct {
	stores  []stores.Store
	backend []atomic.Int32
	commits atomic.Int32 // commits that were answered without an error
}

const fleetEvents = 300

// run delivers all events, calling fault once about a third has been done.
func (f *fleet) run(t *testing.T, fault func()) {
	t.Helper()
	f.backend = make([]atomic.Int32, fleetEvents)
	var (
		wg     sync.WaitGroup
		tokens atomic.Int32
		finish = make(chan struct{})
		third  = make(chan struct{}, fleetEvents)
	)
	for n := range fleetEvents {
		wg.Go(func() {
			time.Sleep(time.Duration(n) * 2 * time.Millisecond)
			for {
				state := f.deliver(f.stores[n%len(f.stores)], int(tokens.Add(1)), n)
				if state == core.Done {
					third <- struct{}{}
					return
				}
				select {
				case <-finish:
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		})
	}
	for range fleetEvents / 3 {
		<-third
	}
	fault()
	all := make(chan struct{})
	go func() { wg.Wait(); close(all) }()
	select {
	case <-all:
	case <-time.After(25 * time.Second):
		t.Error("not all events were done in time")
		close(finish)
		wg.Wait()
	}
}

// deliver is one delivery; the backend works for a moment.
func (f *fleet) deliver(s stores.Store, token, n int) core.State {
	var states [1]core.State
	keys := []core.Key{storetest.NewKey(uint64(n))}
	if err := s.Claim(context.Background(), storetest.NewToken(uint64(token)), keys, lease, states[:]); err != nil {
		return core.Unknown
	}
	if states[0] == core.Claimed {
		time.Sleep(time.Millisecond)
		f.backend[n].Add(1)
		if s.Commit(context.Background(), storetest.NewToken(uint64(token)), keys, window) == nil {
			f.commits.Add(1)
		}
	}
	return states[0]
}

// check counts what was lost and what came twice.
func (f *fleet) check(t *testing.T, twiceAtMost int) {
	t.Helper()
	lost, twice := 0, 0
	for n := range f.backend {
		switch f.backend[n].Load() {
		case 0:
			lost++
		case 1:
		default:
			twice++
		}
	}
	t.Logf("%d events: %d lost, %d twice; %d commits answered", len(f.backend), lost, twice, f.commits.Load())
	if lost > 0 || twice > twiceAtMost {
		t.Errorf("%d lost and %d twice, want none and at most %d", lost, twice, twiceAtMost)
	}
}

func TestKilledAndRestarted(t *testing.T) {
	server := hosts.StartRedis(t, durable...)
	f := &fleet{stores: []stores.Store{openAt(t, server.Address), openAt(t, server.Address)}}
	f.run(t, func() {
		server.Kill()
		time.Sleep(200 * time.Millisecond)
		server.Start(t)
	})
	f.check(t, 0)
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
		if err := commitIn(t, s, n, n); err != nil {
			t.Fatal(err)
		}
	}
	server.Kill()
	for n := 5; n < 10; n++ {
		if err := commitIn(t, s, n, n); err == nil {
			t.Error("a commit without a server succeeded")
		}
	}
	server.Start(t)
	until(t, "the store recovers", func() bool {
		state, err := claimIn(t, s, 100, 100)
		return err == nil && state == core.Claimed
	})
	for n := range 10 {
		want := core.Claimed // forgotten
		if n >= 5 {
			want = core.Done // committed late, and so remembered
		}
		mustClaim(t, s, 200+n, n, want)
	}
}

func TestPaused(t *testing.T) {
	server := hosts.StartRedis(t)
	s := openAt(t, server.Address)
	mustClaim(t, s, 1, 1, core.Claimed)
	server.Pause()
	defer server.Resume()
	if err := commitIn(t, s, 1, 1); err == nil {
		t.Error("a commit to a paused server succeeded")
	}
	start := time.Now()
	for n := range 1000 {
		if _, err := claimIn(t, s, 2, 2+n); err == nil {
			t.Fatal("a claim from a paused server succeeded")
		}
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("1000 claims while the server is paused took %v: each waited", took)
	}
	server.Resume()
	until(t, "the store recovers", func() bool {
		_, err := claimIn(t, s, 3, 5000)
		return err == nil
	})
	mustClaim(t, s, 4, 1, core.Done)    // the commit was made up for
	mustClaim(t, s, 4, 2, core.Claimed) // and the claim undone
}

func TestPausedUnderLoad(t *testing.T) {
	server := hosts.StartRedis(t)
	f := &fleet{stores: []stores.Store{openAt(t, server.Address), openAt(t, server.Address)}}
	f.run(t, func() {
		server.Pause()
		time.Sleep(1500 * time.Millisecond) // longer than the client keeps a silent connection
		server.Resume()
	})
	f.check(t, 0)
}

// The first connection of all must not make a request wait, either.
func TestPausedFromTheStart(t *testing.T) {
	server := hosts.StartRedis(t)
	server.Pause()
	defer server.Resume()
	s := openAt(t, server.Address)
	if _, err := claimIn(t, s, 1, 1); err == nil {
		t.Error("a claim from a paused server succeeded")
	}
	server.Resume()
	until(t, "the store connects", func() bool {
		_, err := claimIn(t, s, 1, 1)
		return err == nil
	})
}

func TestNobodyThereAtFirst(t *testing.T) {
	server := hosts.StartRedis(t)
	server.Stop()
	s := openAt(t, server.Address)
	if _, err := claimIn(t, s, 1, 1); err == nil {
		t.Error("a claim from nobody succeeded")
	}
	server.Start(t)
	until(t, "the store connects", func() bool {
		_, err := claimIn(t, s, 1, 1)
		return err == nil
	})
}

func TestAnswerLost(t *testing.T) {
	server := hosts.StartRedis(t)
	proxy := hosts.StartProxy(t, server.Address)
	s := openAt(t, proxy.Address)
	for n := range 20 {
		proxy.CutAnswers(1)
		mustClaim(t, s, n, n, core.Claimed) // it knows its own token
		proxy.CutAnswers(1)
		if err := commitIn(t, s, n, n); err != nil {
			t.Errorf("a commit whose answer was lost: %v", err)
		}
		mustClaim(t, s, 100+n, n, core.Done)
	}
	f := &fleet{stores: []stores.Store{s, openAt(t, server.Address)}}
	server.Ask(t, "FLUSHALL")
	f.run(t, func() { proxy.CutAnswers(10) })
	f.check(t, 0)
	if proxy.Cut() > 0 {
		t.Error("no answers were cut")
	}
}

func TestSlow(t *testing.T) {
	server := hosts.StartRedis(t)
	proxy := hosts.StartProxy(t, server.Address)
	s := openAt(t, proxy.Address)
	mustClaim(t, s, 1, 1, core.Claimed)
	proxy.Delay(5 * time.Second)
	if _, err := claimIn(t, s, 2, 2); err == nil {
		t.Error("a claim that takes 5 s succeeded")
	}
	if err := commitIn(t, s, 1, 1); err == nil {
		t.Error("a commit that takes 5 s succeeded")
	}
	proxy.Delay(0)
	until(t, "the store recovers", func() bool {
		_, err := claimIn(t, s, 3, 3)
		return err == nil
	})
	mustClaim(t, s, 4, 1, core.Done)
	mustClaim(t, s, 4, 2, core.Claimed)
}

// A full server refuses claims at once, and takes what settles them.
func TestFull(t *testing.T) {
	server := hosts.StartRedis(t)
	s := openAt(t, server.Address)
	mustClaim(t, s, 1, 1, core.Claimed)
	mustClaim(t, s, 2, 2, core.Claimed)
	server.Ask(t, "CONFIG", "SET", "maxmemory", "1mb")
	if state, err := claimIn(t, s, 3, 3); err == nil || state != core.Unknown {
		t.Errorf("a claim from a full server = %d, %v", state, err)
	}
	if err := commitIn(t, s, 1, 1); err != nil {
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
	s := openAt(t, proxy.Address)
	mustClaim(t, s, 1, 1, core.Claimed)
	proxy.Delay(20 * time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	var states [1]core.State
	if err := s.Claim(ctx, storetest.NewToken(2), []core.Key{storetest.NewKey(2)}, lease, states[:]); err == nil {
		t.Error("a claim that nobody waited for succeeded")
	}
	mustClaim(t, s, 3, 3, core.Claimed)
	until(t, "what was claimed is released", func() bool {
		state, err := claimIn(t, s, 4, 2)
		return err == nil && state == core.Claimed
	})
}

// A Sentinel set promotes the replica. What the master had not passed on comes
// twice: that is the documented case, and rare on one machine.
func TestFailover(t *testing.T) {
	master := hosts.StartRedis(t, "--repl-diskless-sync-delay", "0")
	replica := hosts.StartReplica(t, master)
	for _, server := range []*hosts.Redis{master, replica} {
		server.Ask(t, "ACL", "SETUSER", "gate", "on", ">s3cret", "~*", "+@all")
	}
	sentinels := hosts.StartSentinels(t, 3, master) // which know no user
	open := func() *redis.Store {
		return openWith(t, redis.Options{
			Addresses: []string{sentinels[0].Address, sentinels[1].Address}, Sentinel: "claims",
			Username: "gate", Password: "s3cret", Timeout: timeout,
		}, zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)))
	}
	f := &fleet{stores: []stores.Store{open(), open()}}
	f.run(t, master.Kill)
	f.check(t, 2)
}

// One of three masters is gone for a while: the others go on.
func TestClusterNodeRestarts(t *testing.T) {
	nodes := hosts.StartCluster(t, 3, append(durable, "--cluster-require-full-coverage", "no")...)
	f := &fleet{stores: []stores.Store{openAt(t, nodes[0].Address), openAt(t, nodes[1].Address, nodes[2].Address)}}
	f.run(t, func() {
		nodes[2].Kill()
		done := f.commits.Load()
		until(t, "the other masters go on", func() bool { return f.commits.Load() > done+20 })
		nodes[2].Start(t)
	})
	f.check(t, 0)
}

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
			s := openWith(t, redis.Options{Addresses: []string{server.Address}, TLS: c.tls, Password: c.password, Timeout: timeout}, zap.New(sees))
			state, err := claimIn(t, s, 1, 1)
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
	s := openWith(t, redis.Options{Addresses: []string{server.Address}, Username: "gate", Password: "s3cret", Timeout: timeout}, zap.New(sees))
	mustClaim(t, s, 1, 1, core.Claimed)
	mustClaim(t, s, 1, 1, core.Claimed) // renewed
	if err := commitIn(t, s, 1, 1); err != nil {
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

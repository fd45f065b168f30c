package redis_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

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

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// onRedis waits longer than by default: the machine may be busy with other tests.
func onRedis(address string) string {
	return fmt.Sprintf("webhook {\nstore redis {\naddress %s\ntimeout 200ms\n}\n}", address)
}

// durable makes a Redis that, being killed, loses nothing it has answered for.
// Without fsync always it may answer before it has written.
var durable = []string{"--appendonly", "yes", "--appendfsync", "always"}

// TestRedisFleet: every delivery is sent five times at random times through two
// Caddys on one Redis, which restarts twice meanwhile, once killed. Each reaches
// the backend once.
func TestRedisFleet(t *testing.T) {
	redis, backend := hosts.StartRedis(t, durable...), &tally{}
	address := serve(t, backend)
	one := siteKeeping(t, t.TempDir(), address, onRedis(redis.Address), metaGate)
	other := siteKeeping(t, t.TempDir(), address, onRedis(redis.Address), metaGate)
	f := startFlood(t, backend, 2000, 5, one.Address, other.Address)
	f.restart(t, redis)
	f.count(t, 0)
}

// restart stops Redis after a third of all and starts it again, and kills it
// after two thirds.
func (f *flood) restart(t *testing.T, redis *hosts.Redis) {
	t.Helper()
	for i, end := range []func(){redis.Stop, redis.Kill} {
		f.part(t, float64(i+1)/3)
		end()
		time.Sleep(100 * time.Millisecond)
		redis.Start(t)
	}
}

// TestRedisReload: what was owed, held and done in Redis outlives a reload, and
// so does a store that is down while a configuration is loaded.
func TestRedisReload(t *testing.T) {
	t.Parallel()
	redis := hosts.StartRedis(t, "--appendonly", "yes")
	s := newSite(t, &tally{})
	s.load(t, onRedis(redis.Address), metaGate)
	d := meta()
	s.send(t, d).want(t, 200)
	redis.Stop()
	s.load(t, onRedis(redis.Address), "header X-Loaded twice\n"+metaGate)
	s.send(t, d).wantCode(t, 503, "replay_store_unavailable")
	redis.Start(t)
	s.sendUntilTaken(t, d).wantDuplicate(t)
}

// TestRedisDown: with on_error accept a delivery passes without a store, marked,
// and only those of the first moment wait for it.
func TestRedisDown(t *testing.T) {
	t.Parallel()
	redis := hosts.StartRedis(t)
	backend := &recorder{}
	s := newSite(t, backend)
	const timeout = 3 * time.Second
	s.load(t, strings.Replace(onRedis(redis.Address), "200ms", timeout.String(), 1), "verify_webhook twabot {\nsecret {env.SECRET}\nreplay {\non_error accept\n}\n}\nreverse_proxy BACKEND")
	twabot := func() sign.Delivery { return sign.New("twabot", secret, "", "/hook") }
	s.send(t, twabot()).want(t, 200)
	if mark := backend.one(t).Header.Get("X-Hookward-Replay"); mark != "" {
		t.Errorf("X-Hookward-Replay with the store: %q", mark)
	}
	redis.Pause()
	defer redis.Resume()
	const deliveries = 50
	start := time.Now()
	for range deliveries {
		s.send(t, twabot()).want(t, 200)
	}
	if took := time.Since(start); took > deliveries*timeout/2 {
		t.Errorf("%d deliveries without a store took %v: each waited for it", deliveries, took)
	}
	for _, seen := range backend.take() {
		if mark := seen.Header.Get("X-Hookward-Replay"); mark != "unchecked" {
			t.Fatalf("X-Hookward-Replay without the store: %q", mark)
		}
	}
	if errors := s.metric(t, fmt.Sprintf(`hookward_replay_errors_total{name="twabot",store="redis redis://%s hookward:"}`, redis.Address)); errors < deliveries {
		t.Errorf("%v replay errors counted, want %d", errors, deliveries)
	}
}

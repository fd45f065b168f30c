package e2e

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// onRedis is for tests that send until a delivery is taken, as senders do: on a
// busy machine the store may be late.
func onRedis(address string) string { return onRedisWithin(200*time.Millisecond, address) }

func onRedisWithin(timeout time.Duration, address string) string {
	return fmt.Sprintf("webhook {\nstore redis {\naddress %s\ntimeout %s\n}\n}", address, timeout)
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
	f := startFloodOf(t, backend, 2000, 5, one.Address, other.Address)
	f.restart(t, redis)
	f.count(t, 0)
}

// restart stops Redis after a third of all and starts it again, and kills it
// after two thirds.
func (f *flood) restart(t *testing.T, redis *hosts.Redis) {
	t.Helper()
	for i, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		f.reaches(t, len(f.order)*(i+1)/3)
		redis.Signal(signal)
		<-redis.Exited()
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
	s.sendUntilTaken(t, d)
	redis.Stop()
	s.load(t, onRedis(redis.Address), "header X-Loaded twice\n"+metaGate)
	s.send(t, d).wantCode(t, 503, "replay_store_unavailable")
	redis.Start(t)
	s.sendUntilTaken(t, d).wantDuplicate(t)
}

// TestRedisDown: with on_error accept deliveries pass without a store, marked,
// and only for the first one it is asked.
func TestRedisDown(t *testing.T) {
	t.Parallel()
	store := hosts.StartProxy(t, hosts.StartRedis(t).Address)
	backend := &recorder{}
	s := newSite(t, backend)
	s.load(t, onRedis(store.Address), "verify_webhook twabot {\nsecret {env.SECRET}\nreplay {\non_error accept\n}\n}\nreverse_proxy BACKEND")
	pass := func() (mark string) {
		s.send(t, sign.New("twabot", secret, "", "/hook")).want(t, 200)
		return backend.one(t).Header.Get("X-Hookward-Replay")
	}
	eventually(t, "the store answers in time", func() bool { return pass() == "" })
	store.Hold()
	const deliveries = 50
	before := len(store.Asked())
	for range deliveries {
		if mark := pass(); mark != "unchecked" {
			t.Fatalf("X-Hookward-Replay without the store: %q", mark)
		}
	}
	if asked := len(store.Asked()) - before; asked > 1 {
		t.Errorf("the store was asked for %d of %d deliveries, want the first at most", asked, deliveries)
	}
	if errors := s.metric(t, fmt.Sprintf(`hookward_replay_errors_total{name="twabot",store="redis redis://%s hookward:"}`, store.Address)); errors < deliveries {
		t.Errorf("%v replay errors counted, want %d", errors, deliveries)
	}
}

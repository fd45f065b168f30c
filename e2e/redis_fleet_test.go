package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// onRedis waits longer than by default: the machine may be busy with other tests.
func onRedis(address string) string {
	return fmt.Sprintf("webhook {\nstore redis {\naddress %s\ntimeout 200ms\n}\n}", address)
}

// TestRedisFleet: every delivery is sent five times at random times through two
// Caddys on one Redis, which restarts twice meanwhile, once killed. A sender
// repeats what was not acknowledged. Each delivery reaches the backend once.
// Redis fsyncs always: else it may answer before it has written, and forget when
// it is killed.
func TestRedisFleet(t *testing.T) {
	const deliveries, times, senders = 2000, 5, 24
	redis := hosts.StartRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	backend := &tally{}
	server := httptest.NewServer(backend)
	t.Cleanup(server.Close)
	sites := []*caddySite{
		siteKeeping(t, t.TempDir(), server.Listener.Addr().String(), onRedis(redis.Address), metaGate),
		siteKeeping(t, t.TempDir(), server.Listener.Addr().String(), onRedis(redis.Address), metaGate),
	}
	sent := make([]sign.Delivery, deliveries)
	for i := range sent {
		sent[i] = meta()
	}
	order := rand.Perm(deliveries * times)
	var next, refused atomic.Int64
	var all sync.WaitGroup
	for range senders {
		all.Go(func() {
			client := &http.Client{}
			for i := next.Add(1) - 1; i < int64(len(order)); i = next.Add(1) - 1 {
				d := sent[order[i]%deliveries]
				for {
					a, err := sites[rand.IntN(len(sites))].trySend(t.Context(), client, d)
					if err == nil && a.Status == 200 {
						break
					}
					if err == nil && a.Status != 503 {
						t.Errorf("a delivery was answered %v", a)
						return
					}
					refused.Add(1)
					time.Sleep(20 * time.Millisecond)
				}
			}
		})
	}
	for restart, end := range []func(){redis.Stop, redis.Kill} {
		eventually(t, "a third of the deliveries is sent", func() bool { return next.Load() > int64(len(order)*(restart+1)/3) })
		end()
		time.Sleep(100 * time.Millisecond)
		redis.Start(t)
	}
	all.Wait()
	lost, once := deliveries-backend.total(), backend.timesOver(1)
	t.Logf("%d deliveries sent %d times: %d lost, %d twice or more, %d answers of 503", deliveries, times, lost, backend.total()-once, refused.Load())
	if once != deliveries {
		t.Errorf("%d deliveries reached the backend once, want all %d", once, deliveries)
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
// and only the first one waits for it.
func TestRedisDown(t *testing.T) {
	t.Parallel()
	redis := hosts.StartRedis(t)
	backend := &recorder{}
	s := newSite(t, backend)
	s.load(t, onRedis(redis.Address), "verify_webhook twabot {\nsecret {env.SECRET}\nreplay {\non_error accept\n}\n}\nreverse_proxy BACKEND")
	twabot := func() sign.Delivery { return sign.New("twabot", secret, "", "/hook") }
	s.send(t, twabot()).want(t, 200)
	if mark := backend.one(t).Header.Get("X-Hookward-Replay"); mark != "" {
		t.Errorf("X-Hookward-Replay with the store: %q", mark)
	}
	redis.Pause()
	defer redis.Resume()
	start := time.Now()
	for range 50 {
		s.send(t, twabot()).want(t, 200)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("50 deliveries without a store took %v: each waited for it", took)
	}
	for _, seen := range backend.take() {
		if mark := seen.Header.Get("X-Hookward-Replay"); mark != "unchecked" {
			t.Fatalf("X-Hookward-Replay without the store: %q", mark)
		}
	}
	if errors := s.metric(t, fmt.Sprintf(`hookward_replay_errors_total{name="twabot",store="redis redis://%s hookward:"}`, redis.Address)); errors < 50 {
		t.Errorf("%v replay errors counted, want 50", errors)
	}
}

package e2e

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// TestFleet: every delivery is sent five times at random times through two
// Caddys and two Envoys on one Redis, which restarts twice meanwhile, once
// killed. A sender repeats what was not acknowledged, as a provider does. Each
// delivery reaches the backend once. Redis fsyncs always: else it may answer
// before it has written, and forget when it is killed.
func TestFleet(t *testing.T) {
	const deliveries, times, senders = 20_000, 5, 32
	redis := hosts.StartRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	webdis := hosts.StartWebdis(t, redis.Address)
	backend := &tally{}
	address := serve(t, backend)
	gates := []string{
		siteKeeping(t, t.TempDir(), address, onRedis(redis.Address), metaGate).Address,
		siteKeeping(t, t.TempDir(), address, onRedis(redis.Address), metaGate).Address,
	}
	for range 2 {
		config := httpGate(t, nil, object{"timeout": "50ms"})
		gates = append(gates, newHTTPSite(t, hosts.NewestEnvoy(t), webdis.Address, setup{cluster: address, config: config}, "--concurrency", "1").Address)
	}
	sent := make([]sign.Delivery, deliveries)
	for i := range sent {
		sent[i] = meta()
	}
	order := rand.Perm(deliveries * times)
	var next, refused atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for range senders {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(gates)}}
			defer client.CloseIdleConnections()
			for i := next.Add(1) - 1; i < int64(len(order)) && !t.Failed(); i = next.Add(1) - 1 {
				refused.Add(int64(sendThrough(t, client, gates, sent[order[i]%deliveries])))
			}
		})
	}
	for restart, end := range []func(){redis.Stop, redis.Kill} {
		for next.Load() <= int64(len(order)*(restart+1)/3) && !t.Failed() {
			time.Sleep(5 * time.Millisecond)
		}
		end()
		time.Sleep(100 * time.Millisecond)
		redis.Start(t)
	}
	all.Wait()
	lost, once := deliveries-backend.total(), backend.timesOver(1)
	t.Logf("%d deliveries sent %d times through 2 Caddys and 2 Envoys in %v: %d lost, %d twice or more, %d answers of 503",
		deliveries, times, time.Since(start).Round(time.Second), lost, backend.total()-once, refused.Load())
	if once != deliveries {
		t.Errorf("%d deliveries reached the backend once, want all %d", once, deliveries)
	}
	waitUntilSettled(t, redis)
}

// sendThrough sends a delivery through a gate at random, and again until it is
// acknowledged. It returns how often it was not.
func sendThrough(t *testing.T, client *http.Client, gates []string, d sign.Delivery) (refused int) {
	for !t.Failed() {
		site := caddySite{Address: gates[rand.IntN(len(gates))]}
		a, err := site.trySend(t.Context(), client, d)
		if err == nil && a.Status == 200 {
			return refused
		}
		if err == nil && a.Status != 503 {
			t.Errorf("a delivery was answered %v", a)
		}
		refused++
		time.Sleep(20 * time.Millisecond)
	}
	return refused
}

package e2e

import (
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
)

// TestFleet: every delivery is sent five times at random times through two
// Caddys and two Envoys on one Redis, which restarts twice meanwhile, once
// killed. Each reaches the backend once.
func TestFleet(t *testing.T) {
	redis, backend := hosts.StartRedis(t, durable...), &tally{}
	webdis := hosts.StartWebdis(t, redis.Address)
	address := serve(t, backend)
	var gates []string
	for range 2 {
		gates = append(gates, siteKeeping(t, t.TempDir(), address, onRedis(redis.Address), metaGate).Address)
		config := httpGate(t, nil, object{"timeout": "50ms"})
		gates = append(gates, newHTTPSite(t, hosts.NewestEnvoy(t), webdis.Address, setup{cluster: address, config: config}, "--concurrency", "1").Address)
	}
	f := startFloodOf(t, backend, 20_000, 5, gates...)
	f.restart(t, redis)
	f.count(t, 0)
	waitUntilSettled(t, redis)
}

package e2e

import (
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/load"
)

// BenchmarkEnvoyHTTP serves new signed WhatsApp messages through an Envoy with
// the gate and the store shared, and through one with the store http on webdis
// and Redis beside it, in turns. Both stores of the fleet take CPU, too, which
// the process's own does not show.
func BenchmarkEnvoyHTTP(b *testing.B) {
	backend := hosts.StartSink(b)
	webdis := hosts.StartWebdis(b, hosts.StartRedis(b).Address)
	gate := func(store string) map[string]any {
		return hosts.Filter{
			Module: hosts.BuildWasm(b, "./envoy-wasm"), Name: "gate", HoldsHeaders: true,
			Config: `{"routes": [{"path": "/hooks/meta", "provider": "meta", "secrets": ["s3cr3t-of-the-app"]}], "replay": {"store": ` + store + `}}`,
		}.JSON()
	}
	listener := hosts.Listener("bench", "backend", gate(`{"module": "http", "cluster": "redis", "timeout": "1s"}`))
	envoy := hosts.StartEnvoy(b, hosts.NewestEnvoy(b), hosts.Bootstrap([]map[string]any{listener},
		hosts.Cluster("backend", backend), hosts.Cluster("redis", webdis.Address)), "--concurrency", "2")
	compareLoad(b, load.WhatsApp, []contender{
		benchEnvoy(b, "Envoy with shared", backend, gate(`{"module": "shared", "max_claims": 200000}`)),
		{"Envoy with http", envoy.Process, envoy.Addresses(b)["bench"]},
	})
}

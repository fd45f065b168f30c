package e2e

import (
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/load"
)

// BenchmarkEnvoy serves new signed WhatsApp messages through an Envoy without
// filters, with a Lua filter that reads and sets the body, with a wasm filter
// that does just that, with one that makes all the gate's calls to the host and
// does nothing else, and with the gate, to the same backend, in turns.
func BenchmarkEnvoy(b *testing.B) {
	backend := hosts.StartSink(b)
	empty := hosts.Filter{Module: hosts.BuildWasm(b, "./e2e/testdata/emptyfilter"), Name: "empty", HoldsHeaders: true}
	calls := hosts.Filter{Module: hosts.BuildWasm(b, "./e2e/testdata/callsfilter"), Name: "calls", HoldsHeaders: true}
	gate := hosts.Filter{
		Module: hosts.BuildWasm(b, "./envoy-wasm"), Name: "gate", HoldsHeaders: true,
		Config: `{"routes": [{"path": "/hooks/meta", "provider": "meta", "secrets": ["s3cr3t-of-the-app"]}]}`,
	}
	envoys := []contender{
		benchEnvoy(b, "Envoy alone", backend),
		benchEnvoy(b, "Envoy with a Lua filter", backend, lua(`function envoy_on_request(handle)
  local body = handle:body()
  body:setBytes(body:getBytes(0, body:length()))
end`)),
		benchEnvoy(b, "Envoy with an empty filter", backend, empty.JSON()),
		benchEnvoy(b, "Envoy with the gate's calls", backend, calls.JSON()),
		benchEnvoy(b, "Envoy with the gate", backend, gate.JSON()),
	}
	compareLoad(b, load.WhatsApp, envoys)
}

func benchEnvoy(b *testing.B, name, backend string, filters ...map[string]any) contender {
	listener := hosts.Listener("bench", "backend", filters...)
	envoy := hosts.StartEnvoy(b, hosts.NewestEnvoy(b), hosts.Bootstrap([]map[string]any{listener}, hosts.Cluster("backend", backend)), "--concurrency", "2")
	return contender{name, envoy.Process, envoy.Addresses(b)["bench"]}
}

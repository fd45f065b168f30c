package e2e

import (
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
)

// httpGate is the filter's configuration with a gate whose replay settings and
// store's settings are these.
func httpGate(t *testing.T, replay, store object) string {
	t.Helper()
	full := object{"module": "http", "cluster": "redis", "timeout": "5s"}
	for key, value := range store {
		full[key] = value
	}
	gate := object{"path": "/*", "provider": "meta", "secrets": []string{"{env.SECRET}"}}
	if replay != nil {
		gate["replay"] = replay
	}
	return toJSON(t, object{"routes": []any{gate}, "replay": object{"store": full}})
}

// newHTTPSite starts an Envoy with a listener whose claims go to redis, which
// speaks HTTP there.
func newHTTPSite(t *testing.T, binary, redis string, how setup, args ...string) *envoySite {
	t.Helper()
	envoy := hosts.StartEnvoy(t, binary, hosts.Bootstrap([]object{how.listener(t)},
		hosts.Cluster("backend", how.cluster), hosts.Cluster("redis", redis)), args...)
	return &envoySite{envoy, envoy.Addresses(t)["site"]}
}

// TestEnvoyHTTPStore: what is claimed in Redis by way of webdis is forwarded
// once.
func TestEnvoyHTTPStore(t *testing.T) {
	eachEnvoy(t, func(t *testing.T, binary string) {
		t.Parallel()
		backend, redis := hosts.StartBackend(t), hosts.StartRedis(t)
		webdis := hosts.StartWebdis(t, redis.Address)
		s := newHTTPSite(t, binary, webdis.Address, setup{cluster: backend.Address, config: httpGate(t, nil, nil)})
		d := meta()
		s.send(t, d).want(t, 200)
		eventually(t, "the claim is committed", func() bool { return s.send(t, d).Header.Get("X-Hookward-Duplicate") == "true" })
		if n := len(backend.Take()); n != 1 {
			t.Errorf("the backend saw the delivery %d times, want once", n)
		}
	})
}

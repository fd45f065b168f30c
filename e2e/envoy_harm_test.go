package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
)

// harmed is an Envoy whose claims are kept in shared data, or in a Redis, with a
// lease of 2 seconds.
type harmed struct {
	t         *testing.T
	bootstrap object
	address   string
}

// eachEnvoyStore runs a test with each store of Envoy's.
func eachEnvoyStore(t *testing.T, tags string, test func(t *testing.T, store string, backend *tally, h harmed)) {
	for _, store := range []string{"shared", "http"} {
		t.Run(store, func(t *testing.T) {
			t.Parallel()
			config, redis := strings.Replace(envoyGate, `"/hook",`, `"/hook", "replay": {"lease": "2s"},`, 1), "127.0.0.1:1"
			if store == "http" {
				config = httpGate(t, object{"lease": "2s"}, nil)
				redis = hosts.StartWebdis(t, hosts.StartRedis(t).Address).Address
			}
			backend := &tally{}
			listener := setup{config: config, tags: tags}.listener(t, "site")
			port := hosts.FreePort(t)
			listener["address"] = object{"socket_address": object{"address": "127.0.0.1", "port_value": port}}
			test(t, store, backend, harmed{t, hosts.Bootstrap([]object{listener},
				hosts.Cluster("site", serve(t, backend)), hosts.Cluster("redis", redis)), fmt.Sprintf("127.0.0.1:%d", port)})
		})
	}
}

func (h harmed) start(args ...string) *hosts.Envoy {
	h.t.Helper()
	return hosts.StartEnvoy(h.t, hosts.NewestEnvoy(h.t), h.bootstrap, append(args, "--concurrency", "2")...)
}

// TestEnvoyDies: the machine of a worker dies in the midst of deliveries, and
// another is made. All reach the backend; twice at most those that the dead one
// had been handling, which nobody knows of.
func TestEnvoyDies(t *testing.T) {
	t.Parallel()
	const givesUp = 5 * time.Second
	eachEnvoyStore(t, "faults", func(t *testing.T, store string, backend *tally, h harmed) {
		envoy := h.start()
		deaths := []string{"request body", "response headers"}
		if store == "http" {
			deaths = append(deaths, "claim answer")
		}
		// Envoy leaves a request that waits for a dead machine waiting.
		f := &flood{gates: []string{h.address}, backend: backend, gives: givesUp, pause: floodPause}
		f.start(t)
		for _, callback := range deaths {
			f.goesOn(t)
			d := meta()
			d.Header.Set("X-Fault", "dies in "+callback)
			ctx, cancel := context.WithTimeout(t.Context(), givesUp)
			if a, err := (&caddySite{Address: h.address}).trySend(ctx, newClient(), d); err == nil && a.Status != 503 {
				t.Errorf("a machine that dies in %s answered %v", callback, a)
			}
			cancel()
			envoy.WaitForOutput(t, "unlock of unlocked mutex")
		}
		f.goesOn(t)
		f.again(t) // the store http is told of commits from the next tick, when the sender has its answer already
		f.count(t, len(deaths)*floodSenders)
		f.known(t)
	})
}

// TestEnvoyHotRestart: a new process takes over in the midst of deliveries. With
// the claims in Redis nothing comes twice, but perhaps what was still on its way
// when the old process ended. Those in shared data are the process's own: what
// comes again may pass again.
func TestEnvoyHotRestart(t *testing.T) {
	t.Parallel()
	eachEnvoyStore(t, "", func(t *testing.T, store string, backend *tally, h harmed) {
		base := fmt.Sprint(rand.IntN(1 << 28))
		old := h.start("--base-id", base)
		f := startFlood(t, backend, h.address)
		f.goesOn(t)
		h.start("--base-id", base, "--restart-epoch", "1", "--drain-time-s", "3", "--parent-shutdown-time-s", "6")
		<-old.Exited()
		f.goesOn(t)
		if f.end(); store == "shared" {
			f.count(t, len(f.sent))
			return
		}
		f.again(t)
		f.count(t, floodSenders)
		f.known(t)
	})
}

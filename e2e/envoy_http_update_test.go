package e2e

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
)

// TestEnvoyHTTPUpdate: a configuration is replaced while the backend works on
// one delivery and the claim of another is on its way. Both requests end, and
// nothing of them stays claimed: the old plugin lives until it has settled.
func TestEnvoyHTTPUpdate(t *testing.T) {
	eachEnvoy(t, func(t *testing.T, binary string) {
		t.Parallel()
		working, finish := make(chan struct{}, 9), make(chan struct{})
		backend := &recorder{answer: func(http.ResponseWriter, *http.Request) { working <- struct{}{}; <-finish }}
		redis := hosts.StartRedis(t)
		slow := hosts.StartProxy(t, hosts.StartWebdis(t, redis.Address).Address)
		port := hosts.FreePort(t)
		lds := newDiscovered(t, func(config string) object { return discoveredListener(t, "site", port, config) })
		lds.set(t, httpGate(t, nil, nil))
		bootstrap := hosts.Bootstrap(nil, hosts.Cluster("site", serve(t, backend)), hosts.Cluster("redis", slow.Address))
		bootstrap["dynamic_resources"] = object{"lds_config": lds.source()}
		bootstrap["node"] = object{"id": "test", "cluster": "test"}
		envoy := hosts.StartEnvoy(t, binary, bootstrap, "--concurrency", "1", "--drain-time-s", "1")
		s := &envoySite{envoy, fmt.Sprintf("127.0.0.1:%d", port)}
		eventually(t, "the listener is there", func() bool {
			d := meta()
			d.Body += " " // a mismatch: nothing is claimed
			a, err := s.sender().trySend(context.Background(), newClient(), d)
			return err == nil && a.Status == 401
		})

		ended := make(chan answer, 2)
		send := func() {
			a, _ := s.sender().trySend(t.Context(), newClient(), meta())
			ended <- a
		}
		go send()
		<-working
		slow.Hold()
		go send()
		eventually(t, "the second is claimed", func() bool { return redis.Ask(t, "EVAL", unsettled, "0") == ":2" })
		lds.set(t, httpGate(t, object{"lease": "59s"}, nil))
		eventually(t, "the old listener drains", func() bool {
			return statistic(s, "envoy_listener_manager_lds_update_success{}") >= 2
		})
		slow.Pass()
		close(finish)
		for range 2 {
			select {
			case a := <-ended:
				t.Logf("a request ended with %v", a)
			case <-time.After(patience):
				t.Fatal("a request hangs")
			}
		}
		waitUntilSettled(t, redis)
		s.send(t, meta()).want(t, 200)
	})
}

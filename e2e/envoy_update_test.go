package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// TestEnvoyUpdates: the filter's configuration is replaced while Envoy serves,
// with the listener that holds it (LDS) and by itself (ECDS).
func TestEnvoyUpdates(t *testing.T) {
	eachEnvoy(t, func(t *testing.T, binary string) {
		for _, s := range newUpdatedSites(t, binary) {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				t.Run("in mid-flight", s.updateInMidFlight)
				t.Run("refused", s.refuseUpdates)
			})
		}
	})
}

// updatedSite is a listener whose filter's configuration is replaced.
type updatedSite struct {
	*envoySite
	*discovered
	name    string
	refused string // the statistic that counts refused updates
	backend *recorder
}

// newUpdatedSites starts an Envoy with two such listeners.
func newUpdatedSites(t *testing.T, binary string) [2]*updatedSite {
	t.Helper()
	port := hosts.FreePort(t)
	lds := &updatedSite{
		name: "lds", refused: "listener_manager.lds.update_rejected", backend: &recorder{},
		discovered: newDiscovered(t, func(config string) object { return discoveredListener(t, "lds", port, config) }),
	}
	ecds := &updatedSite{
		name: "ecds", refused: "extension_config_discovery.http_filter.ecds.update_rejected", backend: &recorder{},
		discovered: newDiscovered(t, func(config string) object { return discoveredFilter(t, "ecds", config) }),
	}
	both := [2]*updatedSite{lds, ecds}
	var clusters []object
	for _, s := range both {
		clusters = append(clusters, hosts.Cluster(s.name, serve(t, s.backend)))
		s.set(t, s.gate(secret))
	}
	bootstrap := hosts.Bootstrap([]object{hosts.Listener("ecds", "ecds", object{"name": "ecds", "config_discovery": object{
		"config_source": ecds.source(),
		"type_urls":     []string{"type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"},
	}})}, clusters...)
	bootstrap["dynamic_resources"] = object{"lds_config": lds.source()}
	bootstrap["node"] = object{"id": "test", "cluster": "test"}
	envoy := hosts.StartEnvoy(t, binary, bootstrap, "--concurrency", "1")
	for _, s := range both {
		eventually(t, "the listener "+s.name, func() bool { return envoy.Addresses(t)[s.name] != "" })
		s.envoySite = &envoySite{envoy, envoy.Addresses(t)[s.name]}
		s.waitUntilServing(t, secret)
	}
	return both
}

// newSecret is what replaces secret.
const newSecret = "an-invented-secret-of-40-characters-0002"

// gate is the configuration of one gate. It is the same gate to the store
// whatever its secret is.
func (s *updatedSite) gate(secret string) string {
	return `{"routes": [{"path": "/hook", "name": "` + s.name + `", "provider": "meta", "secrets": ["` + secret + `"]}]}`
}

// waitUntilServing waits until new deliveries are taken under a secret.
func (s *updatedSite) waitUntilServing(t *testing.T, secret string) {
	t.Helper()
	eventually(t, s.name+" serves", func() bool {
		a, err := s.sender().trySend(t.Context(), newClient(), sign.New("meta", secret, "", "/hook"))
		return err == nil && a.Status == 200
	})
	s.backend.take()
}

// signedAnew is the delivery as its sender would send it again with the new
// secret: the same event.
func signedAnew(d sign.Delivery) sign.Delivery {
	d.Header = d.Header.Clone()
	d.Sign("meta", newSecret, "")
	return d
}

// updateInMidFlight: what has begun under the old configuration ends under it,
// and what it claimed is known, or free, under the new one.
func (s *updatedSite) updateInMidFlight(t *testing.T) {
	genuine, forged, leaving := meta(), signedAnew(meta()), meta()
	halves := []half{s.sendHalf(t, genuine), s.sendHalf(t, forged), s.sendHalf(t, leaving)}
	taken, failed := meta(), meta()
	finishTaken, answerTaken := s.hold(t, taken, 200)
	finishFailed, answerFailed := s.hold(t, failed, 500)
	eventually(t, "the gate has them all", func() bool { return statistic(s.envoySite, `hookward_in_flight{name="`+s.name+`"}`) == 5 })
	s.backend.take()

	s.set(t, s.gate(newSecret))
	s.waitUntilServing(t, newSecret)
	s.send(t, meta()).wantCode(t, 401, "signature_mismatch")
	s.send(t, signedAnew(taken)).wantCode(t, 503, "duplicate_in_flight")

	halves[0].finish(t).want(t, 200)
	s.backend.one(t)
	halves[1].finish(t).wantCode(t, 401, "signature_mismatch")
	halves[2].Close()
	close(finishTaken)
	close(finishFailed)
	(<-answerTaken).want(t, 200)
	(<-answerFailed).want(t, 500)
	s.backend.none(t)

	for _, known := range []sign.Delivery{genuine, taken} {
		s.send(t, signedAnew(known)).wantDuplicate(t)
	}
	for _, free := range []sign.Delivery{forged, leaving, failed} {
		s.send(t, signedAnew(free)).want(t, 200)
		s.backend.one(t)
	}
	eventually(t, "nothing is in flight", func() bool { return statistic(s.envoySite, `hookward_in_flight{name="`+s.name+`"}`) == 0 })
}

// half is a request of which half the body has been sent.
type half struct {
	net.Conn
	rest string
}

func (s *envoySite) sendHalf(t *testing.T, d sign.Delivery) half {
	t.Helper()
	conn, err := net.Dial("tcp", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	cut := len(d.Body) / 2
	if _, err := io.WriteString(conn, headOf(d, lengthOf(d))+d.Body[:cut]); err != nil {
		t.Fatal(err)
	}
	return half{conn, d.Body[cut:]}
}

// finish sends the rest.
func (h half) finish(t *testing.T) answer {
	t.Helper()
	_ = h.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(h, h.rest); err != nil {
		t.Fatal(err)
	}
	a, err := readAnswer(h)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// hold sends a delivery that the backend answers with a status once finish is
// closed. It returns when the backend works on it.
func (s *updatedSite) hold(t *testing.T, d sign.Delivery, status int) (finish chan struct{}, answered chan answer) {
	t.Helper()
	working, finish, answered := make(chan struct{}), make(chan struct{}), make(chan answer, 1)
	s.backend.will(func(w http.ResponseWriter, _ *http.Request) {
		close(working)
		<-finish
		w.WriteHeader(status)
	})
	go func() {
		a, _ := s.sender().trySend(t.Context(), newClient(), d)
		answered <- a
	}()
	<-working
	s.backend.will(nil)
	return finish, answered
}

// refuseUpdates: a bad configuration is refused, all its mistakes are told, and
// the one before serves on; a good one then replaces it.
func (s *updatedSite) refuseUpdates(t *testing.T) {
	s.set(t, `{"routes": [{"path": "/hook", "provider": "meta", "secrets": ["{env.UNSET_`+s.name+`}"]}]}`)
	s.waitForRefused(t, 1)
	s.send(t, sign.New("meta", newSecret, "", "/hook")).want(t, 200)
	s.set(t, `{"routes": [{"path": "/hook", "provider": "metta"}, {"path": "hook", "provider": "meta", "max_body": "x"}]}`)
	s.waitForRefused(t, 2)
	s.send(t, sign.New("meta", newSecret, "", "/hook")).want(t, 200)
	for _, mistake := range []string{
		"routes[0].secrets[0]: a placeholder is unknown or empty",
		`routes[0].provider: unknown provider "metta"`, "routes[0].secrets: ", "routes[1].path: ", "routes[1].secrets: ", "routes[1].max_body: ",
	} {
		s.waitForLog(t, mistake)
	}
	s.set(t, strings.Replace(s.gate(secret), "/hook", "/elsewhere", 1))
	eventually(t, "/hook is at no gate", func() bool { return s.send(t, meta()).Status == 200 })
}

// waitForRefused waits until Envoy has counted n refused updates.
func (s *updatedSite) waitForRefused(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprint(n, " refused updates"), func() bool {
		return strings.Contains(s.Get("/stats?filter="+s.refused), fmt.Sprintf("%s: %d\n", s.refused, n))
	})
}

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
)

// TestEnvoy: what Envoy must do, in the newest that is installed; in the others
// the cases and the examples are run.
func TestEnvoy(t *testing.T) {
	newestEnvoy(t, func(t *testing.T, binary string) {
		for name, test := range map[string]func(t *testing.T, binary string){
			"Trailers":       envoyTrailers,
			"ForgedFields":   envoyForgedFields,
			"Unmatched":      envoyUnmatched,
			"NoBody":         envoyNoBody,
			"BodyLimits":     envoyBodyLimits,
			"FlagMissing":    envoyFlagMissing,
			"SlowBody":       envoySlowBody,
			"Outcomes":       envoyOutcomes,
			"NoBackend":      envoyNoBackend,
			"SenderLeaves":   envoySenderLeaves,
			"Panics":         envoyPanics,
			"RefusedUpdate":  envoyRefusedUpdate,
			"Metrics":        envoyMetrics,
			"LeaseIsRenewed": envoyLeaseIsRenewed,
			"SenderRetries":  envoySenderRetries,
			"TickPanics":     envoyTickPanics,
			"Logs":           envoyLogs,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test(t, binary)
			})
		}
	})
}

// envoyTrailers: a request may end in its trailers, and none of them
// passes a gate.
func envoyTrailers(t *testing.T, binary string) {
	backend := &recorder{}
	s := newEnvoySite(t, binary, backend, setup{})

	forged := meta()
	forged.Body += " "
	s.withTrailers(t, forged).want(t, 401)
	backend.none(t)

	s.withTrailers(t, meta()).want(t, 200)
	if seen := backend.one(t); len(seen.Trailer) > 0 || seen.Header.Get("X-Hookward-Assurance") != "signature" || len(seen.Header["Trailer"]) > 0 {
		t.Errorf("the backend saw %v, trailers %v", seen.Header, seen.Trailer)
	}

	empty := meta()
	empty.Body = ""
	s.withTrailers(t, empty).want(t, 401)
	backend.none(t)

	other := meta()
	other.Target = "/other"
	s.withTrailers(t, other).want(t, 200)
	if seen := backend.one(t); len(reserved(seen)) > 0 || seen.Trailer.Get("X-Other") != "kept" {
		t.Errorf("an ungated backend saw %v, trailers %v", seen.Header, seen.Trailer)
	}
}

// envoyForgedFields: nobody but us sets our fields, at a gate or elsewhere.
func envoyForgedFields(t *testing.T, binary string) {
	backend := &recorder{}
	s := newEnvoySite(t, binary, backend, setup{})
	for _, target := range []string{"/hook", "/other"} {
		d := meta()
		head := strings.Replace(headOf(d, lengthOf(d), "X-Hookward-Would-Reject: forged", "x_hookward_replay: forged", "X.Hookward-Replay: forged", "X-HOOKWARD-Anything: forged", "X-Kept: a", "X-Kept: b"), " /hook ", " "+target+" ", 1)
		raw(t, s.Address, head+d.Body, nil).want(t, 200)
		seen := backend.one(t)
		for _, name := range reserved(seen) {
			if value := seen.Header.Get(name); target == "/other" || value == "forged" {
				t.Errorf("%s: the backend saw %s: %s", target, name, value)
			}
		}
		if got := seen.Header["X-Kept"]; len(got) != 2 {
			t.Errorf("%s: X-Kept = %q, want both values", target, got)
		}
	}
}

// envoyUnmatched: what stands at no gate passes or is refused.
func envoyUnmatched(t *testing.T, binary string) {
	backend := &recorder{}
	s := newEnvoySite(t, binary, backend, setup{config: strings.Replace(envoyGate, `]}]}`, `]}], "unmatched": "reject"}`, 1)})
	d := meta()
	d.Target = "/x/%2e%2e//HOOK?a=b"
	s.send(t, d).want(t, 200)
	if seen := backend.one(t); seen.Target != d.Target {
		t.Errorf("Target = %q, want %q", seen.Target, d.Target)
	}
	d.Target = "/other"
	s.send(t, d).want(t, 404)
	backend.none(t)
}

// envoyNoBody: where there is no body Envoy lets none be written.
func envoyNoBody(t *testing.T, binary string) {
	backend := &recorder{}
	s := newEnvoySite(t, binary, backend, setup{config: `{"routes": [
		{"path": "/hook", "provider": "meta", "secrets": ["` + secret + `"]},
		{"path": "/sms", "provider": "africastalking", "secrets": ["` + secret + `"]}]}`})
	raw(t, s.Address, "POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", nil).wantCode(t, 401, "signature_missing")
	raw(t, s.Address, "GET /hook HTTP/1.1\r\nHost: a\r\n\r\n", nil).wantCode(t, 403, "handshake_denied")
	for range 2 {
		raw(t, s.Address, "POST /sms HTTP/1.1\r\nHost: a\r\nX-Api-Key: "+secret+"\r\nContent-Length: 0\r\n\r\n", nil).wantCode(t, 503, "host_misconfigured")
	}
	backend.none(t)
	s.waitForLog(t, "put the Lua filter of examples/envoy before this one")
}

// envoyBodyLimits: a body above the gate's limit, above Envoy's, and one
// that only becomes too large when it is rewritten.
func envoyBodyLimits(t *testing.T, binary string) {
	backend := &recorder{}
	s := newEnvoySite(t, binary, backend, setup{buffer: 4096, config: `{"routes": [
		{"path": "/hook", "provider": "meta", "secrets": ["` + secret + `"]},
		{"path": "/small", "name": "small", "provider": "meta", "secrets": ["` + secret + `"], "max_body": 1000}]}`})
	small := metaOf(1001)
	small.Target = "/small"
	s.send(t, small).wantCode(t, 413, "body_too_large")
	s.withTrailers(t, small).want(t, 413)
	s.send(t, metaOf(20_000)).want(t, 413)
	s.waitForLog(t, "set the listener's per_connection_buffer_limit_bytes")
	rewritten := meta()
	rewritten.Body = strings.Replace(rewritten.Body, `"body":"`, `"body":"`+strings.Repeat("long ", 600), 1)
	rewritten.Sign("meta", secret, "")
	for range 2 { // the claim is released
		s.send(t, rewritten).want(t, 413)
	}
	backend.none(t)
	s.send(t, meta()).want(t, 200)
	backend.one(t)
}

// envoyFlagMissing: without the flag a request is answered, and the log
// says what to set.
func envoyFlagMissing(t *testing.T, binary string) {
	backend := &recorder{}
	s := newEnvoySite(t, binary, backend, setup{noFlag: true})
	start := time.Now()
	s.send(t, meta()).wantCode(t, 503, "host_misconfigured")
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	backend.none(t)
	s.waitForLog(t, "set allow_on_headers_stop_iteration: true")
	other := meta()
	other.Target = "/other"
	s.send(t, other).want(t, 200)
}

// envoySlowBody: a body that is slow is no sign that the flag is missing.
func envoySlowBody(t *testing.T, binary string) {
	backend := &recorder{}
	s := newEnvoySite(t, binary, backend, setup{})
	d := meta()
	raw(t, s.Address, headOf(d, lengthOf(d)), func(c net.Conn) {
		time.Sleep(700 * time.Millisecond)
		_, _ = io.WriteString(c, d.Body[:100])
		time.Sleep(700 * time.Millisecond)
		_, _ = io.WriteString(c, d.Body[100:])
	}).want(t, 200)
	backend.one(t)
}

// envoyOutcomes: what the backend answers decides whether the same delivery
// is new when it comes again at once.
func envoyOutcomes(t *testing.T, binary string) {
	backend := &recorder{}
	s := newEnvoySite(t, binary, backend, setup{timeout: "0.3s"})
	for _, code := range []int{200, 204, 302, 400, 409, 500, 503} {
		backend.will(status(code))
		d := meta()
		s.send(t, d).want(t, code)
		backend.will(nil)
		if again := s.send(t, d); code < 300 {
			again.wantDuplicate(t)
		} else {
			again.want(t, 200)
		}
		backend.take()
	}
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	for name, b := range map[string]struct {
		answer http.HandlerFunc
		status int
	}{
		"resets":    {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 503},
		"times out": {func(http.ResponseWriter, *http.Request) { <-hang }, 504},
	} {
		t.Run(name, func(t *testing.T) {
			d := meta()
			backend.will(b.answer)
			s.send(t, d).want(t, b.status)
			backend.will(nil)
			s.send(t, d).want(t, 200)
			backend.take()
		})
	}
	t.Run("breaks off", func(t *testing.T) {
		d := meta()
		backend.will(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})
		if a, err := s.sender().trySend(t.Context(), http.DefaultClient, d); err == nil {
			t.Errorf("half an answer reached the sender as a whole one: %v", a)
		}
		backend.will(nil)
		s.send(t, d).wantCode(t, 503, "duplicate_in_flight")
		if n := len(backend.take()); n != 1 {
			t.Errorf("the backend saw it %d times, want once", n)
		}
	})
}

// envoyNoBackend: a backend that refuses releases.
func envoyNoBackend(t *testing.T, binary string) {
	s := newEnvoySite(t, binary, &recorder{}, setup{cluster: fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(t))})
	d := meta()
	for range 2 {
		if a := s.send(t, d); a.Status != 503 || strings.Contains(a.Body, "duplicate_in_flight") {
			t.Errorf("got %v, want Envoy's own 503", a)
		}
	}
}

// envoySenderLeaves: at every stage, and the worker goes on.
func envoySenderLeaves(t *testing.T, binary string) {
	working, finish := make(chan struct{}, 9), make(chan struct{})
	backend := &recorder{}
	s := newEnvoySite(t, binary, backend, setup{config: strings.Replace(envoyGate, `"/hook",`, `"/hook", "replay": {"lease": "1s"},`, 1)})
	d := meta()
	head := headOf(d, lengthOf(d))
	s.leaves(t, head[:20], func() {})
	s.leaves(t, head, func() { time.Sleep(50 * time.Millisecond) })
	s.leaves(t, head+d.Body[:100], func() { time.Sleep(50 * time.Millisecond) })
	backend.none(t)
	backend.will(func(http.ResponseWriter, *http.Request) { working <- struct{}{}; <-finish })
	s.leaves(t, head+d.Body, func() { <-working })
	close(finish)
	s.send(t, d).wantCode(t, 503, "duplicate_in_flight")
	eventually(t, "the lease ends", func() bool { return s.send(t, d).Status == 200 })
	s.send(t, d).wantDuplicate(t)
}

// envoyPanics: a panic in any call-back is answered, and the worker and its
// other requests go on.
func envoyPanics(t *testing.T, binary string) {
	backend := &recorder{}
	s := newEnvoySite(t, binary, backend, setup{tags: "faults"})
	for _, callback := range []string{"request headers", "request body", "request trailers", "response headers"} {
		t.Run(callback, func(t *testing.T) {
			d := meta()
			d.Header.Set("X-Fault", callback)
			s.withTrailers(t, d).want(t, 503)
			if callback == "response headers" { // the backend has it: the lease decides
				s.send(t, meta()).want(t, 200)
				return
			}
			d.Header.Del("X-Fault")
			s.withTrailers(t, d).want(t, 200)
			backend.take()
		})
	}
	d := meta()
	d.Header.Set("X-Fault", "stream done")
	s.send(t, d).want(t, 200)
	s.send(t, meta()).want(t, 200)
	s.waitForLog(t, "injected into stream done")
}

// envoyRefusedUpdate: a bad configuration is refused, all its mistakes are
// told, and the old one serves on; a good one then replaces it.
func envoyRefusedUpdate(t *testing.T, binary string) {
	backend := hosts.StartBackend(t)
	listeners := filepath.Join(t.TempDir(), "listeners.json")
	port := hosts.FreePort(t)
	update := func(version, config string) {
		t.Helper()
		listener := setup{config: config}.listener(t)
		listener["address"] = object{"socket_address": object{"address": "127.0.0.1", "port_value": port}}
		listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener"
		text := toJSON(t, object{"version_info": version, "resources": []any{listener}})
		if err := os.WriteFile(listeners+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(listeners+".new", listeners); err != nil {
			t.Fatal(err)
		}
	}
	update("1", envoyGate)
	bootstrap := hosts.Bootstrap(nil, hosts.Cluster("backend", backend.Address))
	bootstrap["dynamic_resources"] = object{"lds_config": object{"path_config_source": object{"path": listeners}}}
	bootstrap["node"] = object{"id": "test", "cluster": "test"}
	envoy := hosts.StartEnvoy(t, binary, bootstrap, "--concurrency", "1")
	s := &envoySite{envoy, fmt.Sprintf("127.0.0.1:%d", port)}
	eventually(t, "the listener is there", func() bool {
		a, err := s.sender().trySend(context.Background(), newClient(), meta())
		return err == nil && a.Status == 200
	})
	update("2", `{"routes": [{"path": "/hook", "provider": "metta", "secrets": ["{env.UNSET}"]}, {"path": "hook", "provider": "meta", "max_body": "x"}]}`)
	s.waitForLog(t, "routes[0].secrets[0]: a placeholder is unknown or empty")
	s.send(t, meta()).want(t, 200)
	update("3", `{"routes": [{"path": "/hook", "provider": "metta"}, {"path": "hook", "provider": "meta", "max_body": "x"}]}`)
	for _, mistake := range []string{`routes[0].provider: unknown provider \"metta\"`, "routes[0].secrets: ", "routes[1].path: ", "routes[1].secrets: ", "routes[1].max_body: "} {
		s.waitForLog(t, strings.ReplaceAll(mistake, `\"`, `"`))
	}
	s.send(t, meta()).want(t, 200)
	if stats := s.Get("/stats?filter=listener_manager.lds.update_rejected"); !strings.Contains(stats, "update_rejected: 2") {
		t.Errorf("statistics = %q, want 2 rejected updates", stats)
	}
	update("4", `{"routes": [{"path": "/elsewhere", "provider": "meta", "secrets": ["{env.SECRET}"]}], "unmatched": "reject"}`)
	eventually(t, "the new configuration serves", func() bool { return s.send(t, meta()).Status == 404 })
}

// envoyMetrics: the names and labels are those of the Caddy module.
func envoyMetrics(t *testing.T, binary string) {
	backend := &recorder{}
	s := newEnvoySite(t, binary, backend, setup{})
	d := meta()
	s.send(t, d).want(t, 200)
	s.send(t, d).wantDuplicate(t)
	d.Body += " "
	s.send(t, d).want(t, 401)
	for _, line := range []string{
		`hookward_deliveries_total{name="meta",provider="meta",verdict="accepted"} 1`,
		`hookward_deliveries_total{name="meta",provider="meta",verdict="duplicate"} 1`,
		`hookward_deliveries_total{name="meta",provider="meta",verdict="rejected",code="signature_mismatch"} 1`,
		`hookward_events_total{name="meta",type="message.received"} 1`,
		`hookward_backend_responses_total{name="meta",class="2xx"} 1`,
		`hookward_secret_matches_total{name="meta",index="0"} 2`,
		`hookward_claims{store="shared"} 1`,
		`hookward_claims_max{store="shared"} 200000`,
		`hookward_last_delivery_timestamp_seconds{name="meta"} `,
	} {
		eventually(t, line, func() bool { return strings.Contains("\n"+s.Get("/stats/prometheus"), "\n"+line) })
	}
	if text := s.Output() + s.Get("/stats/prometheus"); strings.Contains(text, "15550") || strings.Contains(text, "wamid") {
		t.Error("a log line or metric holds a number or an event's id")
	}
}

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/sign"
)

// behaviour is something that Envoy must do, shown at a listener of its own.
type behaviour struct {
	name string
	setup
	show func(t *testing.T, s *envoySite, backend *recorder)
}

// counted is the only behaviour that may run while nothing else does: the
// number of claims is one for all gates of an Envoy.
var counted = behaviour{"Metrics", setup{config: named("counted")}, envoyMetrics}

var behaviours = []behaviour{
	{"Trailers", setup{}, envoyTrailers},
	{"Framing", setup{}, envoyFraming},
	{"ForgedFields", setup{}, envoyForgedFields},
	{"Unmatched", setup{config: rejecting}, envoyUnmatched},
	{"NoBody", setup{config: withoutBody}, envoyNoBody},
	{"BodyLimits", setup{buffer: 4096, config: limited}, envoyBodyLimits},
	{"FlagMissing", setup{noFlag: true}, envoyFlagMissing},
	{"SlowBody", setup{}, envoySlowBody},
	{"Outcomes", setup{}, envoyOutcomes},
	{"Timeout", setup{timeout: "0.3s"}, envoyTimeout},
	{"NoBackend", setup{noBackend: true}, envoyNoBackend},
	{"SenderLeaves", setup{config: leases}, envoySenderLeaves},
	{"Panics", setup{tags: "faults"}, envoyPanics},
	{"LeaseIsRenewed", setup{config: renewing, timeout: "60s"}, envoyLeaseIsRenewed},
	{"SenderRetries", setup{config: leases}, envoySenderRetries},
	{"TickPanics", setup{tags: "faults", config: named("ticking")}, envoyTickPanics},
	{"Logs", setup{config: everyProvider()}, envoyLogs},
}

// TestEnvoy: what Envoy must do, in every Envoy that is installed. All is shown
// in one process, since that compiles the module once.
func TestEnvoy(t *testing.T) {
	eachEnvoy(t, func(t *testing.T, binary string) {
		sites, backends := newEnvoySites(t, binary, append(behaviours, counted))
		show := func(t *testing.T, b behaviour) { b.show(t, sites[b.name], backends[b.name]) }
		t.Run(counted.name, func(t *testing.T) { show(t, counted) })
		for _, b := range behaviours {
			t.Run(b.name, func(t *testing.T) {
				t.Parallel()
				show(t, b)
			})
		}
	})
}

// envoyTrailers: a request may end in its trailers, and none of them
// passes a gate.
func envoyTrailers(t *testing.T, s *envoySite, backend *recorder) {
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

// envoyFraming: however a body comes, all of it is checked, and nothing but what
// was checked goes on.
func envoyFraming(t *testing.T, s *envoySite, backend *recorder) {
	inChunks := func(end string, more ...string) func(d sign.Delivery) answer {
		return func(d sign.Delivery) answer {
			cut := len(d.Body) / 2
			body := fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n%s\r\n", cut, d.Body[:cut], len(d.Body)-cut, d.Body[cut:], end)
			return raw(t, s.Address, headOf(d, append(more, "Transfer-Encoding: chunked")...)+body, nil)
		}
	}
	for name, send := range map[string]func(d sign.Delivery) answer{
		"with a length":             func(d sign.Delivery) answer { return s.send(t, d) },
		"in chunks":                 inChunks(""),
		"in chunks and trailers":    inChunks("X-Hookward-Assurance: signature\r\nX-Other: 1\r\n", "Trailer: X-Hookward-Assurance"),
		"HTTP/2, with a length":     func(d sign.Delivery) answer { return s.over(t, h2c(t), d) },
		"HTTP/2, ended in trailers": func(d sign.Delivery) answer { return s.withTrailers(t, d) },
		"with a request after it": func(d sign.Delivery) answer {
			return raw(t, s.Address, headOf(d, lengthOf(d))+d.Body+"GET /hook HTTP/1.1\r\nHost: a\r\n\r\n", nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			forged := meta()
			forged.Body = strings.Replace(forged.Body, "hello", "h3llo", 1)
			send(forged).want(t, 401)
			backend.none(t)
			d := meta()
			send(d).want(t, 200)
			seen := backend.one(t)
			if got := seen.Header["Content-Length"]; len(got) != 1 || got[0] != fmt.Sprint(len(seen.Body)) || len(seen.Trailer) > 0 || len(seen.Header["Trailer"]) > 0 {
				t.Errorf("the backend saw %d bytes, %v and the trailers %v", len(seen.Body), seen.Header, seen.Trailer)
			}
			if text := d.Body[strings.Index(d.Body, "hello ")+6:][:32]; !strings.Contains(string(seen.Body), text) {
				t.Errorf("the backend saw %s, want %s in it", seen.Body, text)
			}
			send(d).wantDuplicate(t)
		})
	}
}

// envoyForgedFields: nobody but us sets our fields, at a gate or elsewhere.
func envoyForgedFields(t *testing.T, s *envoySite, backend *recorder) {
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
func envoyUnmatched(t *testing.T, s *envoySite, backend *recorder) {
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
func envoyNoBody(t *testing.T, s *envoySite, backend *recorder) {
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
func envoyBodyLimits(t *testing.T, s *envoySite, backend *recorder) {
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
	waitForMetric(t, s.Envoy, `hookward_backend_responses_total{name="limited",class="none"} 2`)
	s.send(t, meta()).want(t, 200)
	backend.one(t)
}

// envoyFlagMissing: without the flag a request is answered, though Envoy by
// itself would let it wait for five minutes, and the log says what to set.
func envoyFlagMissing(t *testing.T, s *envoySite, backend *recorder) {
	s.send(t, meta()).wantCode(t, 503, "host_misconfigured")
	backend.none(t)
	s.waitForLog(t, "set allow_on_headers_stop_iteration: true")
	other := meta()
	other.Target = "/other"
	s.send(t, other).want(t, 200)
}

// envoySlowBody: a body that is slow is no sign that the flag is missing.
func envoySlowBody(t *testing.T, s *envoySite, backend *recorder) {
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
func envoyOutcomes(t *testing.T, s *envoySite, backend *recorder) {
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
	t.Run("resets", func(t *testing.T) {
		d := meta()
		backend.will(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		s.send(t, d).want(t, 503)
		backend.will(nil)
		s.send(t, d).want(t, 200)
		backend.take()
	})
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

// envoyTimeout: a backend that does not answer in time releases.
func envoyTimeout(t *testing.T, s *envoySite, backend *recorder) {
	hang := make(chan struct{})
	t.Cleanup(func() { close(hang) })
	backend.will(func(http.ResponseWriter, *http.Request) { <-hang })
	d := meta()
	s.send(t, d).want(t, 504) // perhaps before the backend has read it
	backend.will(nil)
	var again answer // which may be late, too
	eventually(t, "the backend is in time", func() bool { again = s.send(t, d); return again.Status != 504 })
	again.want(t, 200)
	s.send(t, d).wantDuplicate(t)
}

// envoyNoBackend: a backend that refuses releases.
func envoyNoBackend(t *testing.T, s *envoySite, _ *recorder) {
	d := meta()
	for range 2 {
		if a := s.send(t, d); a.Status != 503 || strings.Contains(a.Body, "duplicate_in_flight") {
			t.Errorf("got %v, want Envoy's own 503", a)
		}
	}
}

// envoySenderLeaves: at every stage, and the worker goes on.
func envoySenderLeaves(t *testing.T, s *envoySite, backend *recorder) {
	working, finish := make(chan struct{}, 9), make(chan struct{})
	d := meta()
	head := headOf(d, lengthOf(d))
	s.leaves(t, head[:20], func() {})
	s.leaves(t, head, func() { time.Sleep(50 * time.Millisecond) })
	s.leaves(t, head+d.Body[:100], func() { time.Sleep(50 * time.Millisecond) })
	backend.none(t)
	backend.will(func(http.ResponseWriter, *http.Request) { working <- struct{}{}; <-finish })
	s.leaves(t, head+d.Body, func() { <-working })
	again := short()
	s.leaves(t, headOf(again, lengthOf(again))+again.Body, func() { <-working })
	close(finish)
	s.send(t, d).wantCode(t, 503, "duplicate_in_flight")
	eventually(t, "the lease ends", func() bool { return s.send(t, again).Status == 200 })
	s.send(t, again).wantDuplicate(t)
}

// envoyPanics: a panic in any call-back is answered, and the worker and its
// other requests go on.
func envoyPanics(t *testing.T, s *envoySite, backend *recorder) {
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

	backend.will(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "an answer") })
	d = meta()
	d.Header.Set("X-Fault", "response body") // of an answer that has begun: it breaks off
	if a, err := s.sender().trySend(t.Context(), newClient(), d); err == nil {
		t.Errorf("got %v, want half an answer", a)
	}
	s.send(t, meta()).want(t, 200)
	s.waitForLog(t, "injected into response body")
	d.Header.Del("X-Fault")
	s.send(t, d).wantCode(t, 503, "duplicate_in_flight")
}

// envoyMetrics: the names and labels are those of the Caddy module.
func envoyMetrics(t *testing.T, s *envoySite, backend *recorder) {
	d := meta()
	s.send(t, d).want(t, 200)
	s.send(t, d).wantDuplicate(t)
	d.Body += " "
	s.send(t, d).want(t, 401)
	for _, line := range []string{
		`hookward_deliveries_total{name="counted",provider="meta",verdict="accepted"} 1`,
		`hookward_deliveries_total{name="counted",provider="meta",verdict="duplicate"} 1`,
		`hookward_deliveries_total{name="counted",provider="meta",verdict="rejected",code="signature_mismatch"} 1`,
		`hookward_events_total{name="counted",type="message.received"} 1`,
		`hookward_backend_responses_total{name="counted",class="2xx"} 1`,
		`hookward_secret_matches_total{name="counted",index="0"} 2`,
		`hookward_claims{store="shared"} 1`,
		`hookward_claims_max{store="shared"} 200000`,
		`hookward_last_delivery_timestamp_seconds{name="counted"} `,
	} {
		eventually(t, line, func() bool { return strings.Contains("\n"+s.Get("/stats/prometheus"), "\n"+line) })
	}
}

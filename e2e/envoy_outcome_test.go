package e2e

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// envoyLeaseIsRenewed: while the backend works the delivery stays claimed, past
// the end of its lease. The filter looks after leases once in a while, so
// several requests begin at different times before it does. Shorter leases are
// renewed in TestLeaseIsRenewed, by a clock that no machine slows.
func envoyLeaseIsRenewed(t *testing.T, s *envoySite, backend *recorder) {
	const requests = 5
	working, finish := make(chan struct{}, 1000), make(chan struct{})
	s.send(t, meta()).want(t, 200) // ticks are slow from here on
	backend.take()
	backend.will(func(http.ResponseWriter, *http.Request) { working <- struct{}{}; <-finish })
	var deliveries [requests]sign.Delivery
	answers := make(chan answer, requests)
	for i := range deliveries {
		deliveries[i] = meta()
		go func() { a, _ := s.sender().trySend(t.Context(), newClient(), deliveries[i]); answers <- a }()
		<-working
		time.Sleep(170 * time.Millisecond) // spreads their beginnings
	}
	for start := time.Now(); time.Since(start) < 11*time.Second && !t.Failed(); time.Sleep(100 * time.Millisecond) {
		for _, d := range deliveries {
			s.send(t, d).wantCode(t, 503, "duplicate_in_flight")
		}
	}
	close(finish)
	for range deliveries {
		(<-answers).want(t, 200)
	}
	for _, d := range deliveries {
		s.send(t, d).wantDuplicate(t)
	}
	if n := len(backend.take()); n != requests {
		t.Errorf("the backend saw %d requests, want %d", n, requests)
	}
}

// envoySenderRetries: a sender leaves at a stage and comes again at once. What
// the backend never had is new; what it may have done is for the lease to decide;
// what it has answered is known.
func envoySenderRetries(t *testing.T, s *envoySite, backend *recorder) {
	for stage, cut := range map[string]func(d sign.Delivery) string{
		"in the header":    func(d sign.Delivery) string { return headOf(d, lengthOf(d))[:40] },
		"after the header": func(d sign.Delivery) string { return headOf(d, lengthOf(d)) },
		"in the body":      func(d sign.Delivery) string { return headOf(d, lengthOf(d)) + d.Body[:len(d.Body)-1] },
	} {
		t.Run(stage, func(t *testing.T) {
			d := meta()
			s.leaves(t, cut(d), func() {})
			s.send(t, d).want(t, 200)
			backend.one(t)
		})
	}
	t.Run("while the backend works", func(t *testing.T) {
		working, finish := make(chan struct{}, 9), make(chan struct{})
		s.leavesToLease(t, backend, func(w http.ResponseWriter, _ *http.Request) { working <- struct{}{}; <-finish }, func(net.Conn) { <-working })
		close(finish)
	})
	t.Run("in the answer", func(t *testing.T) {
		finish := make(chan struct{})
		s.leavesToLease(t, backend, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			<-finish
		}, func(c net.Conn) { _, _ = io.ReadFull(c, make([]byte, len("HTTP/1.1 200 OK"))) })
		close(finish)
	})
	t.Run("after the answer", func(t *testing.T) {
		d := meta()
		raw(t, s.Address, headOf(d, lengthOf(d))+d.Body, nil).want(t, 200)
		s.send(t, d).wantDuplicate(t)
		backend.one(t)
	})
}

// leavesToLease sends deliveries that the backend treats like this, and leaves.
// They are pending, and new when their leases have ended.
func (s *envoySite) leavesToLease(t *testing.T, backend *recorder, answer http.HandlerFunc, when func(net.Conn)) {
	t.Helper()
	long, short := meta(), short()
	backend.will(answer)
	for _, d := range []sign.Delivery{long, short} {
		conn, err := net.Dial("tcp", s.Address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, headOf(d, lengthOf(d))+d.Body); err != nil {
			t.Fatal(err)
		}
		when(conn)
		conn.Close()
	}
	backend.will(nil)
	s.send(t, long).wantCode(t, 503, "duplicate_in_flight")
	eventually(t, "the lease ends", func() bool { return s.send(t, short).Status == 200 })
	s.send(t, short).wantDuplicate(t)
	if n := len(backend.take()); n != 3 {
		t.Errorf("the backend saw %d requests, want 1 and 2", n)
	}
}

// TestEnvoyOutcomeFirst: an outcome is settled before the sender can see it, so
// that whoever sends again at once is not told to come later.
func TestEnvoyOutcomeFirst(t *testing.T) {
	known := func(t *testing.T, s *envoySite, d sign.Delivery) { s.send(t, d).wantDuplicate(t) }
	passes := func(t *testing.T, s *envoySite, d sign.Delivery) { s.send(t, d).want(t, 200) }
	knownSoon := func(t *testing.T, s *envoySite, d sign.Delivery) { // the body comes after the header
		var a answer
		eventually(t, "the body's end settles", func() bool { a = s.send(t, d); return a.Status == 200 })
		a.wantDuplicate(t)
	}
	eachEnvoy(t, func(t *testing.T, binary string) {
		backend := &recorder{}
		listener := hosts.Listener("site", "backend", keepsBack, setup{}.filter(t, "site"))
		envoy := hosts.StartEnvoy(t, binary, hosts.Bootstrap([]object{listener}, hosts.Cluster("backend", serve(t, backend))), "--concurrency", "1")
		s := &envoySite{envoy, envoy.Addresses(t)["site"]}
		for _, c := range []struct {
			code  int
			body  string
			again func(*testing.T, *envoySite, sign.Delivery)
		}{
			{200, "", known}, {204, "", known}, {200, "a body", knownSoon},
			{302, "", passes}, {500, "", passes}, {500, "a body", passes},
		} {
			d := meta()
			first, goesOn := s.sendKept(t, backend, d, func(w http.ResponseWriter) {
				w.WriteHeader(c.code)
				_, _ = io.WriteString(w, c.body)
			})
			c.again(t, s, d)
			close(goesOn)
			(<-first).want(t, c.code)
		}
	})
}

// keepsBack is a filter between the sender and the gate, which keeps an answer
// with X-Kept-Back from the sender until the backend has answered another request.
var keepsBack = lua(`
function envoy_on_response(handle)
  if handle:headers():get("x-kept-back") then
    handle:httpCall("backend", {[":method"] = "GET", [":path"] = "/kept", [":authority"] = "backend"}, "", 60000)
  end
end`)

// sendKept sends a delivery and returns when its answer has passed the gate, while
// the sender has nothing of it yet.
func (s *envoySite) sendKept(t *testing.T, backend *recorder, d sign.Delivery, respond func(http.ResponseWriter)) (<-chan answer, chan<- struct{}) {
	t.Helper()
	kept, goesOn := make(chan struct{}), make(chan struct{})
	backend.will(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/kept" {
			close(kept)
			<-goesOn
			return
		}
		w.Header().Set("X-Kept-Back", "true")
		respond(w)
	})
	first := make(chan answer, 1)
	go func() { a, _ := s.sender().trySend(t.Context(), newClient(), d); first <- a }()
	<-kept
	backend.will(nil)
	return first, goesOn
}

// envoyTickPanics: the worker goes on, and so do its ticks.
func envoyTickPanics(t *testing.T, s *envoySite, _ *recorder) {
	d := meta()
	d.Header.Set("X-Fault", "tick")
	s.send(t, d).want(t, 200)
	s.waitForLog(t, "injected into a tick")
	s.send(t, d).wantDuplicate(t)
	s.waitForLog(t, "panic in a tick")
	eventually(t, "ticks write metrics", func() bool {
		return statistic(s, `hookward_deliveries_total{name="ticking",provider="meta",verdict="duplicate"}`) == 1
	})
}

// logAll lets Envoy keep what the filter logs at any level, which the filter
// learns with a tick.
func (s *envoySite) logAll(t *testing.T) {
	t.Helper()
	resp, err := http.Post("http://"+s.Admin+"/logging?wasm=trace", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	eventually(t, "a line at debug", func() bool {
		s.send(t, sign.New("meta", secret, "", "/meta")).want(t, 200)
		return strings.Contains(s.Output(), "webhook accepted")
	})
}

// envoyLogs: at debug every delivery has its line, and none holds what is
// private; nor do the metrics.
func envoyLogs(t *testing.T, s *envoySite, _ *recorder) {
	s.logAll(t)
	private := []string{"another secret", "another+secret", "another%20secret"}
	for _, target := range []string{"/africastalking?apiKey=" + secret, "/meta?hub.mode=subscribe&hub.challenge=c1c2c3&hub.verify_token=" + secret} {
		s.send(t, sign.Delivery{Method: "GET", Target: target, Header: http.Header{}})
	}
	s.waitForLog(t, `denied_for="`) // before there are so many that only some are logged
	for _, p := range sign.Providers {
		for _, key := range []string{secret, "another secret"} {
			d := sign.New(p, key, "https://example.com", "/"+p)
			private = append(private, d.Private...)
			for name, values := range d.Header {
				if name != "Content-Type" {
					private = append(private, values...)
				}
			}
			s.send(t, d)
			s.send(t, d)
			d.Body += "x"
			s.send(t, d)
		}
	}
	for _, p := range sign.Providers {
		s.waitForLog(t, `webhook accepted name="`+p+`" provider="`+p+`"`)
	}
	s.waitForLog(t, "webhook duplicate ")
	s.waitForLog(t, "webhook rejected ")
	text := s.Output() + s.Get("/stats/prometheus")
	for _, p := range private {
		if strings.Contains(text, p) {
			t.Errorf("a log line or metric holds %q", p)
		}
	}
}

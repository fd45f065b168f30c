package e2e

import (
	"context"
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

// aloneGate is a gate for Meta with nothing behind it yet.
const aloneGate = "verify_webhook meta {\nsecret {env.SECRET}\n}\n"

// The tests here are of what stands around a gate in Caddy: routes for errors,
// placeholders, and handlers that look at bodies.

// TestCaddyErrorRoutesAreStripped: what Caddy refuses before any route, for its
// method or its Host, goes to the routes for errors at once.
func TestCaddyErrorRoutesAreStripped(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	for name, errors := range map[string]string{
		"all":       "handle_errors {\nreverse_proxy BACKEND\n}",
		"some":      "handle_errors 4xx {\nreverse_proxy BACKEND\n}",
		"rewritten": "handle_errors {\nrewrite * /fallback\nreverse_proxy BACKEND\n}",
	} {
		t.Run(name, func(t *testing.T) {
			s := siteWith(t, backend, metaGate+"\n"+errors)
			for _, line := range []string{
				"POST /hook HTTP/1.1\r\nHost: ...\r\n",
				"POST /hook HTTP/1.1\r\nHost: \r\n",
				strings.Repeat("P", 33) + " /hook HTTP/1.1\r\nHost: example.com\r\n",
			} {
				raw(t, s.Address, line+"X-Hookward-Assurance: signature\r\nX_Hookward_Event: message.received\r\nTrailer: X-Hookward-Event\r\n"+
					"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\nX-Hookward-Event: message.received\r\n\r\n", nil)
				for _, seen := range backend.take() {
					if names := reserved(seen); len(names) > 0 || len(seen.Trailer) > 0 {
						t.Errorf("%.20q: the backend saw %v, trailers %v", line, names, seen.Trailer)
					}
				}
			}
		})
	}
}

// TestCaddyBodyPlaceholder: {http.request.body} behind the gate is what the
// backend gets, and the backend gets it all the same.
func TestCaddyBodyPlaceholder(t *testing.T) {
	t.Parallel()
	for name, directives := range map[string]string{
		"a matcher":  "route {\n" + aloneGate + "@received expression `{http.request.body}.contains(\"message.received\")`\nreverse_proxy @received BACKEND\nrespond 418\n}",
		"a variable": "route {\n" + aloneGate + "vars body {http.request.body}\nreverse_proxy BACKEND\n}",
		"a log":      "log\nroute {\n" + aloneGate + "log_append body {http.request.body}\nreverse_proxy BACKEND\n}",
		"a field":    aloneGate + "reverse_proxy BACKEND {\nheader_up X-Body {http.request.body}\n}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backend := &recorder{}
			s := siteWith(t, backend, directives)
			s.send(t, meta()).want(t, 200)
			seen := backend.one(t)
			if !strings.Contains(string(seen.Body), `"type":"message.received"`) {
				t.Errorf("the backend saw the body %q", seen.Body)
			}
			if copied := seen.Header.Get("X-Body"); name == "a field" && copied != string(seen.Body) {
				t.Errorf("the backend saw %q in the header and %q", copied, seen.Body)
			}
		})
	}
}

// TestCaddyTokenInTheQueryIsGone: for placeholders and for the routes for errors,
// too.
func TestCaddyTokenInTheQueryIsGone(t *testing.T) {
	t.Parallel()
	const gate = "verify_webhook africastalking {\nsecret {env.SECRET}\n}\n"
	for name, directives := range map[string]string{
		"placeholders": gate + "reverse_proxy BACKEND {\nheader_up X-URI {http.request.orig_uri}\nheader_up X-Query {http.request.orig_uri.query}\n}",
		"errors":       gate + fmt.Sprintf("reverse_proxy 127.0.0.1:%d\nhandle_errors {\nreverse_proxy BACKEND\n}", hosts.FreePort(t)),
	} {
		t.Run(name, func(t *testing.T) {
			backend := &recorder{}
			s := siteWith(t, backend, directives)
			d := sign.New("africastalking", secret, "", "/in/at?a=1&apiKey="+secret+"&b=2")
			d.Header.Del("X-Api-Key")
			d.Header.Set("X-Forwarded-Uri", d.Target) // of a proxy before this one
			s.send(t, d)
			seen := backend.one(t)
			if text := fmt.Sprint(seen.Target, seen.Header); strings.Contains(text, secret) || !strings.Contains(text, "a=1&b=2") {
				t.Errorf("the backend saw %s", text)
			}
		})
	}
}

// TestCaddyFailureStaysFailure: Caddy's log_append makes an empty 200 of an error
// when it logs the answer's body, and the sender would not send again.
func TestCaddyFailureStaysFailure(t *testing.T) {
	t.Parallel()
	const log = "log_append body {http.response.body}\n"
	dead := fmt.Sprintf("reverse_proxy 127.0.0.1:%d\n", hosts.FreePort(t))
	for name, directives := range map[string]string{
		"before the gate": "log\n" + log + aloneGate + dead,
		"behind the gate": "log\nroute {\n" + aloneGate + log + dead + "}",
	} {
		s := siteWith(t, &recorder{}, directives)
		d := meta()
		for range 2 {
			if a, err := s.trySend(t.Context(), newClient(), d); err == nil && (a.Status < 500 || a.Header.Get("X-Hookward-Duplicate") != "") {
				t.Errorf("%s: the sender got %v", name, a)
			}
		}
	}
}

// TestCaddyOldRequestTunesNothing: a request that came under an old configuration
// does not bring back that one's limit.
func TestCaddyOldRequestTunesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, &recorder{})
	with := func(limit int) string {
		return strings.Replace(metaGate, "secret", fmt.Sprintf("replay {\nstore memory tuned {\nmax_claims %d\n}\n}\nsecret", limit), 1)
	}
	s.load(t, "", with(7))
	d := meta()
	conn, err := net.Dial("tcp", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, headOf(d, lengthOf(d))+d.Body[:10])
	eventually(t, "the old request is in the gate", func() bool { return s.metric(t, `hookward_in_flight{name="meta"}`) == 1 })
	s.load(t, "", with(1000))
	s.send(t, meta()).want(t, 200)
	_, _ = io.WriteString(conn, d.Body[10:])
	if a, err := readAnswer(conn); err != nil || a.Status != 200 {
		t.Errorf("the old request got %v (%v)", a, err)
	}
	if limit := s.metric(t, `hookward_claims_max{store="memory tuned"}`); limit != 1000 {
		t.Errorf("the limit is %v, want 1000", limit)
	}
}

// TestCaddyReaderThatStalls: a sender that stays and reads nothing leaves the
// backend no more time than one that goes.
func TestCaddyReaderThatStalls(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 1)
	backend := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { ended <- struct{}{} }()
		for piece := make([]byte, 100_000); r.Context().Err() == nil; {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	s := newTLSSite(t, backend, strings.Replace(metaGate, "secret", "replay {\nlease 1s\n}\nsecret", 1),
		"servers {\ntimeouts {\nwrite_idle 1s\n}\n}")
	for protocol, client := range protocols(t) {
		t.Run(protocol, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			d := meta()
			r, err := http.NewRequestWithContext(ctx, d.Method, s.origin()+d.Target, strings.NewReader(d.Body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = d.Header
			resp, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			select {
			case <-ended:
			case <-time.After(patience):
				t.Error("the backend's answer is still being read")
			}
		})
	}
}

// TestCaddyRefusedSenderIsNotWaitedFor: one that has been refused and never sends
// the rest of its body is let go, though Caddy is told to wait without end.
func TestCaddyRefusedSenderIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	s := newSite(t, &recorder{})
	s.load(t, "servers {\ntimeouts {\nread_body_idle -1s\n}\n}", smallGate)
	d := metaOf(2000)
	conn, err := net.Dial("tcp", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, headOf(d, lengthOf(d))+d.Body[:10])
	if _, err := io.ReadAll(conn); err != nil {
		t.Errorf("the connection was kept: %v", err)
	}
}

// TestCaddyReportOnlyLetsWebSocketsPass: a gate that only reports may stand before
// a whole site.
func TestCaddyReportOnlyLetsWebSocketsPass(t *testing.T) {
	t.Parallel()
	backend := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" || r.Header.Get("X-Hookward-Would-Reject") == "" {
			http.Error(w, fmt.Sprint(r.Header), http.StatusBadRequest)
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		conn.Close()
	})
	s := siteWith(t, backend, strings.Replace(metaGate, "secret", "report_only\nsecret", 1))
	for protocol, want := range map[string]int{"websocket": 101, "h2c": 400} {
		request := "GET /live HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, X-Hookward-Would-Reject\r\nUpgrade: " + protocol + "\r\n\r\n"
		raw(t, s.Address, request, nil).want(t, want)
	}
}

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hookward/hookward/e2e/sign"
)

// forged are spellings of our fields that a client may try.
var forged = []string{
	"X-Hookward-Assurance: signature",
	"x-hookward-assurance: signature",
	"X-HOOKWARD-PROVIDER: meta",
	"X_Hookward_Assurance: signature",
	"X-Hookward_Assurance: signature",
	"x_hookward_delivery: 0",
	"X.Hookward.Assurance: signature",
	"X-Hookward.Event: message.received",
	"X-Hookward-Would-Reject: none",
	"X-Hookward-Whatever: x",
}

// letIn makes Caddy let such names pass to the handlers.
const letIn = `servers {
	expected_underscore_headers X_Hookward_Assurance X-Hookward_Assurance X_hookward_delivery x_hookward_assurance
	expected_dot_headers X.Hookward.Assurance X-Hookward.Event
}`

// TestCaddyForgedFields sends forged fields in every spelling to every kind of
// path: gated, ungated beside the gate, in another block of the site, and
// through a gate whose matcher does not match.
func TestCaddyForgedFields(t *testing.T) {
	t.Parallel()
	layouts := map[string]string{
		"handle blocks": `
			handle /hook {
				verify_webhook meta {
					secret {env.SECRET}
				}
				reverse_proxy BACKEND
			}
			handle {
				reverse_proxy BACKEND
			}`,
		"matcher": `
			verify_webhook /hook meta {
				secret {env.SECRET}
			}
			reverse_proxy BACKEND`,
		"route": `
			route {
				verify_webhook /hook meta {
					secret {env.SECRET}
				}
				reverse_proxy BACKEND
			}`,
		"handle beside the gate": `
			handle /x {
				reverse_proxy BACKEND
			}
			verify_webhook /hook meta {
				secret {env.SECRET}
			}
			reverse_proxy BACKEND`,
		"handle_path": `
			handle_path /in/* {
				verify_webhook meta {
					secret {env.SECRET}
				}
				reverse_proxy BACKEND
			}
			reverse_proxy BACKEND`,
		"the gate stands last": `
			handle /a {
				reverse_proxy BACKEND
			}
			handle /b/* {
				reverse_proxy BACKEND
			}
			handle /z {
				verify_webhook meta {
					secret {env.SECRET}
				}
				reverse_proxy BACKEND
			}
			handle {
				reverse_proxy BACKEND
			}`,
	}
	backend := &recorder{}
	s := newSite(t, backend)
	for name, layout := range layouts {
		for _, global := range []string{"", letIn} {
			s.load(t, global, layout)
			t.Run(fmt.Sprintf("%s, underscores %v", name, global != ""), func(t *testing.T) {
				tried, reached := 0, 0
				for _, path := range []string{"/", "/x", "/a", "/b/c", "/HOOK2", "/hook/", "/hook%2F", "/other"} {
					for _, field := range forged {
						tried++
						reached += tryForged(t, s, backend, "POST "+path, field)
					}
				}
				if reached < tried/2 {
					t.Errorf("only %d of %d requests reached the backend: nothing is shown", reached, tried)
				}
			})
		}
	}
}

func tryForged(t *testing.T, s *caddySite, backend *recorder, request, field string) (reached int) {
	t.Helper()
	raw(t, s.Address, request+" HTTP/1.1\r\nHost: a\r\n"+field+"\r\nContent-Length: 2\r\n\r\n{}", nil)
	all := backend.take()
	for _, seen := range all {
		if names := reserved(seen); len(names) > 0 {
			t.Errorf("%s with %q: the backend saw %v", request, field, names)
		}
	}
	return len(all)
}

// TestCaddyForgedFieldsThroughTheGate: what the backend sees of ours on a
// genuine delivery is ours alone.
func TestCaddyForgedFieldsThroughTheGate(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	s.load(t, letIn, metaGate)
	for _, field := range forged {
		d := meta()
		raw(t, s.Address, headOf(d, field, lengthOf(d))+d.Body, nil).want(t, 200)
		seen := backend.one(t)
		if len(reserved(seen)) != 6 || seen.Header.Get("X-Hookward-Assurance") != "signature" || seen.Header.Get("X-Hookward-Event") != "message.received" {
			t.Errorf("%q: the backend saw %v", field, seen.Header)
		}
	}
}

// TestCaddyConnectionNamesOurs: a Connection that names our field must not have
// reverse_proxy remove it behind the gate.
func TestCaddyConnectionNamesOurs(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	for _, mode := range []string{"", "output original", "report_only"} {
		s := siteWith(t, backend, strings.Replace(metaGate, "secret", mode+"\nsecret", 1))
		d := meta()
		raw(t, s.Address, headOf(d, "Connection: close, X-Hookward-Assurance, X-Hookward-Would-Reject, Content-Type",
			"Keep-Alive: 5", "TE: trailers", "Proxy-Connection: close", lengthOf(d))+d.Body, nil).want(t, 200)
		seen := backend.one(t)
		if seen.Header.Get("X-Hookward-Assurance") != "signature" || seen.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%q: the backend saw %v", mode, seen.Header)
		}
		for _, name := range []string{"Connection", "Keep-Alive", "Te", "Proxy-Connection", "Trailer", "Expect"} {
			if seen.Header.Get(name) != "" {
				t.Errorf("%q: %s reached the backend", mode, name)
			}
		}
	}
}

// TestCaddyForgedTrailers: trailers of ours, announced or not, reach no backend
// on gated or ungated paths; a gated request has no trailers at all.
func TestCaddyForgedTrailers(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, `
		handle /hook {
			verify_webhook meta {
				secret {env.SECRET}
			}
			reverse_proxy BACKEND
		}
		handle {
			reverse_proxy BACKEND
		}`)
	for _, announced := range []string{"", "Trailer: X-Hookward-Assurance, X-Hookward_Event, X-Mine\r\n"} {
		for _, path := range []string{"/hook", "/other"} {
			d := meta()
			d.Target = path
			head := strings.TrimSuffix(headOf(d, "Transfer-Encoding: chunked"), "\r\n") + announced + "\r\n"
			body := fmt.Sprintf("%x\r\n%s\r\n0\r\nX-Hookward-Assurance: signature\r\nX-Hookward_Event: x\r\nX-Mine: 1\r\n\r\n", len(d.Body), d.Body)
			raw(t, s.Address, head+body, nil).want(t, 200)
			seen := backend.one(t)
			if path == "/hook" && len(seen.Trailer) > 0 {
				t.Errorf("trailers %v reached the backend through the gate", seen.Trailer)
			}
			if path == "/other" && len(reserved(seen)) > 0 {
				t.Errorf("announced %q: %v reached the backend on an ungated path", announced, reserved(seen))
			}
			if path == "/other" && announced != "" && seen.Trailer.Get("X-Mine") != "1" {
				t.Errorf("a trailer that is none of ours is gone: %v", seen.Trailer)
			}
		}
	}
}

// TestCaddyWalkAround tries to reach the backend beside the gate with what
// routers take for the same path.
func TestCaddyWalkAround(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, `
		handle /hook {
			verify_webhook meta {
				secret {env.SECRET}
			}
			reverse_proxy BACKEND
		}
		handle {
			respond 404
		}`)
	for _, path := range []string{
		"/hook", "/hook/", "/HOOK", "/Hook", "//hook", "/./hook", "/x/../hook", "/%68ook", "/hook%2F", "/%2Fhook", "/hook;x",
		"/hook?x", "/hook%00", "/hook/..;/hook", "/hook/.", "/hook//", "http://example.com/hook", "/x/%2e%2e/hook",
	} {
		for _, method := range []string{"POST", "PUT", "GET", "DELETE", "PATCH", "OPTIONS"} {
			raw(t, s.Address, method+" "+path+" HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", nil)
		}
	}
	backend.none(t)
	s.send(t, meta()).want(t, 200)
	backend.one(t)
}

// TestCaddyTwoGates: two gates on one request are a mistake that must not look
// like success.
func TestCaddyTwoGates(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, `
		verify_webhook meta {
			secret {env.SECRET}
		}
		handle {
			verify_webhook meta {
				secret {env.SECRET}
			}
			reverse_proxy BACKEND
		}
		handle_errors {
			request_header X-Seen-Assurance {header.X-Hookward-Assurance}
			respond "error {err.status_code} [{header.X-Hookward-Assurance}]" {err.status_code}
		}`)
	a := s.send(t, meta())
	if a.Status != 500 || a.Body != "error 500 []" {
		t.Errorf("got %v, want 500 and no assurance in the routes for errors", a)
	}
	backend.none(t)
	s.waitForLog(t, "two verify_webhook handlers match one request")
}

// TestCaddyOneGateOfSeveral: gates with matchers that exclude each other go
// together.
func TestCaddyOneGateOfSeveral(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, `
		verify_webhook /meta meta {
			secret {env.SECRET}
		}
		verify_webhook /zavu zavu {
			secret {env.SECRET}
		}
		reverse_proxy BACKEND`)
	for _, provider := range []string{"meta", "zavu"} {
		s.send(t, sign.New(provider, secret, "", "/"+provider)).want(t, 200)
		if seen := backend.one(t); seen.Header.Get("X-Hookward-Provider") != provider {
			t.Errorf("the backend saw %v, want %s's", seen.Header, provider)
		}
	}
}

// TestCaddyHandlePath: the sender's path is what is verified, the stripped one
// what is forwarded.
func TestCaddyHandlePath(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, `
		handle_path /in/* {
			verify_webhook twilio {
				secret {env.SECRET}
				public_url https://example.com
			}
			reverse_proxy BACKEND
		}`)
	s.send(t, sign.New("twilio", secret, "https://example.com", "/in/twilio?a=b")).want(t, 200)
	if seen := backend.one(t); seen.Target != "/twilio?a=b" {
		t.Errorf("the backend saw the target %q", seen.Target)
	}
	// A target may be a whole URL, too.
	d := sign.New("twilio", secret, "https://example.com", "/in/twilio?a=b")
	d.Target = "http://example.com" + d.Target
	raw(t, s.Address, headOf(d, lengthOf(d))+d.Body, nil).want(t, 200)
}

// TestCaddyTokenInQuery: the secret in the query reaches no backend, also where
// a handler has rewritten the URL.
func TestCaddyTokenInQuery(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	gate := `
		verify_webhook africastalking {
			secret {env.SECRET}
		}
		reverse_proxy BACKEND`
	for layout, want := range map[string]string{
		gate:                                  "/in/at?a=1&b=2",
		"handle_path /in/* {" + gate + "\n}":  "/at?a=1&b=2",
		"rewrite * /new?{query}&c=3\n" + gate: "/new?a=1&b=2&c=3",
		"rewrite * /new?apiKey={query.apiKey}&d=4\n" + gate: "/new?d=4",
	} {
		s := siteWith(t, backend, layout)
		d := sign.New("africastalking", secret, "", "/in/at?a=1&apiKey="+secret+"&b=2")
		d.Header.Del("X-Api-Key")
		s.send(t, d).want(t, 200)
		if seen := backend.one(t); seen.Target != want {
			t.Errorf("the backend saw the target %q, want %q", seen.Target, want)
		}
	}
}

// TestCaddyNamedRoute: a gate in a named route works, and covers the route.
func TestCaddyNamedRoute(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	// Of several handlers without a matcher Caddy takes only the first into a
	// named route, unless they stand in a route of their own.
	text := "&(hooks) {\nroute {\nverify_webhook /hook meta {\nsecret {env.SECRET}\n}\nreverse_proxy BACKEND\n}\n}\n"
	config := s.caddyfile("", "invoke hooks")
	end := strings.Index(config, "\n}\n") + len("\n}\n")
	config = config[:end] + strings.ReplaceAll(text, "BACKEND", s.Backend) + config[end:]
	if err := s.Load(t, "text/caddyfile", config); err != nil {
		t.Fatal(err)
	}
	d := meta()
	s.send(t, d).want(t, 200)
	s.send(t, d).wantDuplicate(t)
	backend.one(t)
	for _, field := range forged {
		if tryForged(t, s, backend, "POST /other", field) != 1 {
			t.Error("the request did not reach the backend: nothing is shown")
		}
	}
}

// TestCaddyStripHandler is for those who write Caddy's JSON.
func TestCaddyStripHandler(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	config := fmt.Sprintf(`{"admin":{"listen":%q,"config":{"persist":false}},"apps":{"http":{"servers":{"s":{"listen":[%q],
		"automatic_https":{"disable":true},"routes":[{"handle":[{"handler":"webhook_strip"},
		{"handler":"reverse_proxy","upstreams":[{"dial":%q}]}]}]}}}}}`, s.Admin, s.Address, s.Backend)
	if err := s.Load(t, "application/json", config); err != nil {
		t.Fatal(err)
	}
	for _, field := range forged {
		tryForged(t, s, backend, "POST /", field)
	}
	r, err := http.NewRequest("POST", "http://"+s.Address, io.NopCloser(strings.NewReader("x")))
	if err != nil {
		t.Fatal(err)
	}
	r.Trailer = http.Header{"X-Hookward-Assurance": {"signature"}}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if names := reserved(backend.one(t)); len(names) > 0 {
		t.Errorf("the backend saw %v", names)
	}
}

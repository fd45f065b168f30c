package e2e

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/quic-go/quic-go/http3"

	"github.com/hookward/hookward/e2e/sign"
)

// protocols are the clients of a site with TLS.
func protocols(t *testing.T) map[string]*http.Client {
	t.Helper()
	insecure := func() *tls.Config { return &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"} }
	h1 := &http.Transport{TLSClientConfig: insecure(), TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
	h2 := &http.Transport{TLSClientConfig: insecure(), ForceAttemptHTTP2: true}
	h3 := &http3.Transport{TLSClientConfig: insecure()}
	t.Cleanup(func() {
		h1.CloseIdleConnections()
		h2.CloseIdleConnections()
		h3.Close()
	})
	return map[string]*http.Client{"HTTP/1.1": {Transport: h1}, "HTTP/2.0": {Transport: h2}, "HTTP/3.0": {Transport: h3}}
}

// newTLSSite is a site with a certificate of Caddy's own authority, and perhaps
// more global options.
func newTLSSite(t *testing.T, backend http.Handler, directives string, options ...string) *caddySite {
	t.Helper()
	s := newSite(t, backend)
	text := s.caddyfile(strings.Join(append(options, "skip_install_trust"), "\n"), "tls internal\n"+directives)
	text = strings.Replace(text, "auto_https off", "auto_https disable_redirects", 1)
	text = strings.Replace(text, "http://:", "https://localhost:", 1)
	if err := s.Load(t, "text/caddyfile", text); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the certificate is there", func() bool {
		conn, err := tls.Dial("tcp", s.Address, &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"})
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return s
}

func (s *caddySite) origin() string {
	_, port, _ := net.SplitHostPort(s.Address)
	return "https://localhost:" + port
}

// over sends a delivery over TLS and checks the protocol.
func (s *caddySite) over(t *testing.T, protocol string, client *http.Client, d sign.Delivery) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, d.Method, s.origin()+d.Target, strings.NewReader(d.Body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = d.Header.Clone()
	r.Trailer = http.Header{"X-Hookward-Assurance": {"signature"}}
	r.ContentLength = -1
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Proto != protocol {
		t.Fatalf("it was %s, not %s", resp.Proto, protocol)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// TestCaddyProtocols: the gate is the same over HTTP/1.1, 2 and 3.
func TestCaddyProtocols(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newTLSSite(t, backend, `
		verify_webhook /hook meta {
			secret {env.SECRET}
			max_body 1000B
		}
		verify_webhook /twilio twilio {
			secret {env.SECRET}
		}
		reverse_proxy BACKEND`)
	for protocol, client := range protocols(t) {
		t.Run(protocol, func(t *testing.T) {
			d := meta()
			d.Header.Set("X-Hookward-Event", "forged")
			s.over(t, protocol, client, d).want(t, 200)
			if seen := backend.one(t); seen.Header.Get("X-Hookward-Event") != "message.received" || len(seen.Trailer) > 0 {
				t.Errorf("the backend saw %v, trailers %v", seen.Header, seen.Trailer)
			}
			s.over(t, protocol, client, d).wantDuplicate(t)

			d.Target = "/other"
			s.over(t, protocol, client, d).want(t, 200)
			if names := reserved(backend.one(t)); len(names) > 0 {
				t.Errorf("on an ungated path the backend saw %v", names)
			}

			for _, tooLarge := range []int{1001, 300_000} {
				a := s.over(t, protocol, client, metaOf(tooLarge))
				a.wantCode(t, 413, "body_too_large")
				if protocol != "HTTP/1.1" && a.Header.Get("Connection") != "" {
					t.Errorf("a Connection field in %s", protocol)
				}
			}
			forged := meta()
			forged.Sign("meta", "another", "")
			s.over(t, protocol, client, forged).wantCode(t, 401, "signature_mismatch")
			backend.none(t)

			// Our own TLS says that the URL is https.
			s.over(t, protocol, client, sign.New("twilio", secret, s.origin(), "/twilio?a=%27b")).want(t, 200)
			backend.one(t)
		})
	}
}

// TestCaddyProtocolsSenderLeaves: a stream that is reset is a sender that has
// left.
func TestCaddyProtocolsSenderLeaves(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newTLSSite(t, backend, metaGate)
	for protocol, client := range protocols(t) {
		t.Run(protocol, func(t *testing.T) {
			working, finish := make(chan struct{}), make(chan struct{})
			var cancelled atomic.Bool
			backend.will(func(_ http.ResponseWriter, r *http.Request) {
				close(working)
				<-finish
				cancelled.Store(r.Context().Err() != nil)
			})
			d := meta()
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-working; cancel() }()
			r, err := http.NewRequestWithContext(ctx, "POST", s.origin()+"/hook", strings.NewReader(d.Body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = d.Header.Clone()
			if resp, err := client.Do(r); err == nil {
				resp.Body.Close()
				t.Fatal("an answer before the sender left")
			}
			s.over(t, protocol, client, d).wantCode(t, 503, "duplicate_in_flight")
			close(finish)
			var last answer
			eventually(t, "the claim is settled", func() bool {
				last = s.over(t, protocol, client, d)
				return last.Status != 503
			})
			last.wantDuplicate(t)
			backend.one(t)
			if cancelled.Load() {
				t.Error("the sender's leaving cancelled the backend's work")
			}
		})
	}
}

// TestCaddyH2C: HTTP/2 without TLS, to the gate and to the backend.
func TestCaddyH2C(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	s.load(t, "servers {\nprotocols h1 h2c\n}", metaGate)
	var only http.Protocols
	only.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: &only}}
	d := meta()
	for i := range 2 {
		a, err := s.trySend(t.Context(), client, d)
		if err != nil || a.Status != 200 {
			t.Fatalf("got %v (%v)", a, err)
		}
		if i == 1 {
			a.wantDuplicate(t)
		}
	}
	backend.one(t)
}

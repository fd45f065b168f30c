package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// TestCaddyAllowIPs: who may send is decided by the real client address, which
// a trusted proxy alone may tell.
func TestCaddyAllowIPs(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	const trusted = "servers {\ntrusted_proxies static 127.0.0.1/32\n}"
	for _, c := range []struct {
		about, global, allow, forwarded string
		status                          int
	}{
		{"the peer itself", "", "127.0.0.1", "", 200},
		{"a range", "", "192.0.2.0/24 127.0.0.0/8", "", 200},
		{"a word for ranges", "", "private_ranges", "", 200},
		{"another", "", "192.0.2.0/24", "", 403},
		{"claimed by an untrusted peer", "", "192.0.2.0/24", "192.0.2.7", 403},
		{"told by a trusted proxy", trusted, "192.0.2.0/24", "192.0.2.7", 200},
		{"another told by a trusted proxy", trusted, "192.0.2.0/24", "198.51.100.7", 403},
		{"IPv6 told by a trusted proxy", trusted, "2001:db8::/32", "2001:db8::7", 200},
		{"IPv4 in IPv6", trusted, "192.0.2.0/24", "::ffff:192.0.2.7", 200},
		{"nonsense told by a trusted proxy", trusted, "192.0.2.0/24", "nobody", 403},
	} {
		s.load(t, c.global, strings.Replace(metaGate, "secret", "allow_ips "+c.allow+"\nsecret", 1))
		d := meta()
		if c.forwarded != "" {
			d.Header.Set("X-Forwarded-For", c.forwarded)
		}
		a := s.send(t, d)
		if c.status == 403 {
			a.wantCode(t, 403, "ip_denied")
			backend.none(t)
			continue
		}
		if a.Status != 200 {
			t.Errorf("%s: got %v", c.about, a)
		}
		backend.take()
	}
	s.waitForLog(t, `"client":"198.51.100.7"`)
}

// TestCaddyUnixSocket: behind a unix socket nobody is known, unless who comes
// from there is trusted.
func TestCaddyUnixSocket(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	socket := filepath.Join(t.TempDir(), "s")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	for _, c := range []struct {
		global, allow, forwarded string
		status                   int
	}{
		{"", "", "", 200},
		{"", "allow_ips 0.0.0.0/0 ::/0", "", 403},
		{"", "allow_ips 0.0.0.0/0 ::/0", "192.0.2.7", 403},
		{"servers {\ntrusted_proxies_unix\n}", "allow_ips 192.0.2.0/24", "192.0.2.7", 200},
	} {
		s.load(t, c.global, "bind unix/"+socket+"\n"+strings.Replace(metaGate, "secret", c.allow+"\nsecret", 1))
		d := meta()
		if c.forwarded != "" {
			d.Header.Set("X-Forwarded-For", c.forwarded)
		}
		a, err := s.trySend(t.Context(), client, d)
		if err != nil || a.Status != c.status {
			t.Errorf("%v: got %v (%v)", c, a, err)
		}
	}
	s.waitForLog(t, `"client":"unknown"`)
}

// TestCaddyIPv6: a client may come over IPv6.
func TestCaddyIPv6(t *testing.T) {
	t.Parallel()
	probe, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Fatalf("this machine has no IPv6 on its loopback: %v", err)
	}
	probe.Close()
	port := hosts.FreePort(t)
	backend := &recorder{}
	s := newSite(t, backend)
	for allow, want := range map[string]int{"::1": 200, "2001:db8::/32": 403} {
		s.Address = fmt.Sprintf("[::1]:%d", port)
		if err := s.Load(t, "text/caddyfile", strings.Replace(s.caddyfile("", strings.Replace(metaGate, "secret", "allow_ips "+allow+"\nsecret", 1)), "bind 127.0.0.1", "bind ::1", 1)); err != nil {
			t.Fatal(err)
		}
		s.send(t, meta()).want(t, want)
	}
}

// TestCaddyRateLimit is for each client by itself.
func TestCaddyRateLimit(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	s.load(t, "servers {\ntrusted_proxies static 127.0.0.1/32\n}", strings.Replace(metaGate, "secret", "rate_limit 0.01/s 2\nsecret", 1))
	for _, client := range []string{"192.0.2.1", "192.0.2.2"} {
		for i := range 3 {
			d := meta()
			d.Header.Set("X-Forwarded-For", client)
			a := s.send(t, d)
			if i < 2 {
				a.want(t, 200)
				continue
			}
			a.wantCode(t, 429, "rate_limited")
			if a.Header.Get("Retry-After") != "30" {
				t.Errorf("Retry-After: %q", a.Header.Get("Retry-After"))
			}
		}
	}
}

// TestCaddyTwilioBehindProxies: the URL that Twilio signed is known from
// public_url, from our own TLS, or from a proxy that is trusted, and from
// nobody else.
func TestCaddyTwilioBehindProxies(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	const trusted = "servers {\ntrusted_proxies static 127.0.0.1/32\n}"
	gate := "verify_webhook twilio {\nsecret {env.SECRET}\n%s\n}\nreverse_proxy BACKEND"
	proxied := http.Header{"X-Forwarded-Proto": {"https"}, "X-Forwarded-Host": {"example.com"}, "X-Forwarded-For": {"192.0.2.7"}}
	for _, c := range []struct {
		about, global, publicURL, origin string
		forwarded                        http.Header
		status                           int
		code                             string
	}{
		{"public_url", "", "public_url https://example.com", "https://example.com", nil, 200, ""},
		{"public_url, an untrusted peer says otherwise", "", "public_url https://example.com", "https://example.com", http.Header{"X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"evil.example"}}, 200, ""},
		{"public_url, a trusted proxy says otherwise", trusted, "public_url https://example.com", "https://example.com", http.Header{"X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"evil.example"}}, 200, ""},
		{"plain http", "", "", "http://" + s.Address, nil, 503, "host_misconfigured"},
		{"an untrusted peer", "", "", "https://example.com", proxied, 503, "host_misconfigured"},
		{"a trusted proxy", trusted, "", "https://example.com", proxied, 200, ""},
		{"a trusted proxy that says it twice", trusted, "", "https://example.com", http.Header{"X-Forwarded-Proto": {"https", "https"}, "X-Forwarded-Host": {"example.com"}}, 503, "host_misconfigured"},
		{"a trusted proxy, another host", trusted, "", "https://evil.example", proxied, 401, "signature_mismatch"},
	} {
		s.load(t, c.global, fmt.Sprintf(gate, c.publicURL))
		d := sign.New("twilio", secret, c.origin, "/hook?a=b")
		for name, values := range c.forwarded {
			d.Header[name] = values
		}
		a := s.send(t, d)
		if a.Status != c.status || !strings.Contains(a.Body, c.code) {
			t.Errorf("%s: got %v, want %d %s", c.about, a, c.status, c.code)
		}
	}
	s.waitForLog(t, `"set":"public_url, to the URL that the provider was given up to the path"`)
	s.waitForLog(t, `"url_tried":"https://example.com/hook?a=…"`)
}

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// envoySite is a real Envoy with one listener, at Address, in front of a
// backend.
type envoySite struct {
	*hosts.Envoy
	Address string
}

// envoyGate is the filter's configuration with one gate for Meta at /hook.
var envoyGate = `{"routes": [{"path": "/hook", "provider": "meta", "secrets": ["` + secret + `"]}]}`

// setup says how a listener differs from the usual one.
type setup struct {
	config  string // of the filter; envoyGate if empty
	tags    string // of the module
	noFlag  bool   // without allow_on_headers_stop_iteration
	lua     bool   // with the filter that fills bodies
	buffer  int    // per_connection_buffer_limit_bytes
	timeout string // of the route
	cluster string // the backend's address, instead of the handler's
}

// newEnvoySite starts an Envoy, with a backend of this handler.
func newEnvoySite(t *testing.T, binary string, backend http.Handler, how setup) *envoySite {
	t.Helper()
	if how.cluster == "" {
		how.cluster = serve(t, backend)
	}
	listener := how.listener(t)
	envoy := hosts.StartEnvoy(t, binary, hosts.Bootstrap([]object{listener}, hosts.Cluster("backend", how.cluster)), "--concurrency", "1")
	return &envoySite{envoy, envoy.Addresses(t)["site"]}
}

func (how setup) listener(t *testing.T) object {
	t.Helper()
	filter := hosts.Filter{Name: "gate", Config: how.config, HoldsHeaders: !how.noFlag, Env: map[string]string{"SECRET": secret}}
	if filter.Config == "" {
		filter.Config = envoyGate
	}
	filter.Module = hosts.BuildWasm(t, "./envoy-wasm", "-tags="+how.tags)
	filters := []object{filter.JSON()}
	if how.lua {
		filters = []object{fill, filter.JSON()}
	}
	listener := hosts.Listener("site", "backend", filters...)
	if how.buffer != 0 {
		listener["per_connection_buffer_limit_bytes"] = how.buffer
	}
	if how.timeout != "" {
		hosts.RouteOf(listener)["timeout"] = how.timeout
	}
	return listener
}

// sender sends to the site as the tests of Caddy do.
func (s *envoySite) sender() *caddySite { return &caddySite{Address: s.Address} }

func (s *envoySite) send(t *testing.T, d sign.Delivery) answer {
	t.Helper()
	return s.sender().send(t, d)
}

// waitForLog waits until Envoy has logged the text.
func (s *envoySite) waitForLog(t *testing.T, text string) {
	t.Helper()
	eventually(t, fmt.Sprintf("the log says %q", text), func() bool { return strings.Contains(s.Output(), text) })
}

// h2c is a client that speaks HTTP/2 without TLS.
func h2c(t *testing.T) *http.Client {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: &protocols}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// withTrailers sends a delivery over HTTP/2, without a Content-Length and with
// forged trailers.
func (s *envoySite) withTrailers(t *testing.T, d sign.Delivery) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r := s.sender().request(ctx, d)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(d.Body)), -1
	r.Trailer = http.Header{"X-Hookward-Assurance": {"signature"}, "X-Other": {"kept"}}
	resp, err := h2c(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return answer{Status: resp.StatusCode, Header: resp.Header}
}

// leaves sends the beginning of a request and then leaves when it may.
func (s *envoySite) leaves(t *testing.T, text string, when func()) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	when()
	conn.Close()
}

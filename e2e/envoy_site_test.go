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

// The filter's configurations.
var (
	// envoyGate has one gate for Meta, at /hook.
	envoyGate = `{"routes": [{"path": "/hook", "provider": "meta", "secrets": ["` + secret + `"]}]}`
	rejecting = strings.Replace(envoyGate, `]}]}`, `]}], "unmatched": "reject"}`, 1)
	renewing  = strings.Replace(envoyGate, `"/hook",`, `"/hook", "replay": {"lease": "10s"},`, 1)

	// leases are the gates of Caddy's leaseGates.
	leases = `{"routes": [
		{"path": "/hook", "provider": "meta", "secrets": ["` + secret + `"]},
		{"path": "/short", "name": "short", "provider": "meta", "secrets": ["` + secret + `"], "replay": {"lease": "1s"}}]}`
	withoutBody = `{"routes": [
		{"path": "/hook", "provider": "meta", "secrets": ["` + secret + `"]},
		{"path": "/sms", "provider": "africastalking", "secrets": ["` + secret + `"]}]}`
	limited = `{"routes": [
		{"path": "/hook", "name": "limited", "provider": "meta", "secrets": ["` + secret + `"]},
		{"path": "/small", "name": "small", "provider": "meta", "secrets": ["` + secret + `"], "max_body": 1000}]}`
)

// named is envoyGate under another name, to which metrics are counted.
func named(name string) string {
	return strings.Replace(envoyGate, `"/hook",`, `"/hook", "name": "`+name+`",`, 1)
}

// everyProvider has a gate for each, at the path of its name.
func everyProvider() string {
	var gates []string
	for _, p := range sign.Providers {
		gates = append(gates, fmt.Sprintf(`{"path": "/%s", "provider": "%[1]s", "secrets": ["{env.SECRET}"], "public_url": "https://example.com"}`, p))
	}
	return `{"routes": [` + strings.Join(gates, ",") + `]}`
}

// setup says how a listener differs from the usual one.
type setup struct {
	config    string // of the filter; envoyGate if empty
	tags      string // of the module
	noFlag    bool   // without allow_on_headers_stop_iteration
	buffer    int    // per_connection_buffer_limit_bytes
	timeout   string // of the route
	noBackend bool   // nobody listens at the backend's address
	cluster   string // the backend's address
}

// newEnvoySites starts an Envoy with a listener, a configuration and a backend
// for each behaviour.
func newEnvoySites(t *testing.T, binary string, all []behaviour) (map[string]*envoySite, map[string]*recorder) {
	t.Helper()
	var listeners, clusters []object
	backends := map[string]*recorder{}
	for _, b := range all {
		backends[b.name] = &recorder{}
		b.cluster = serve(t, backends[b.name])
		if b.noBackend {
			b.cluster = fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(t))
		}
		listeners = append(listeners, b.listener(t, b.name))
		clusters = append(clusters, hosts.Cluster(b.name, b.cluster))
	}
	envoy := hosts.StartEnvoy(t, binary, hosts.Bootstrap(listeners, clusters...), "--concurrency", "1")
	sites := map[string]*envoySite{}
	for name, address := range envoy.Addresses(t) {
		sites[name] = &envoySite{envoy, address}
	}
	return sites, backends
}

// listener is a listener of this name, in front of the cluster of its name.
func (how setup) listener(t *testing.T, name string) object {
	t.Helper()
	listener := hosts.Listener(name, name, how.filter(t, name))
	if how.buffer != 0 {
		listener["per_connection_buffer_limit_bytes"] = how.buffer
	}
	if how.timeout != "" {
		hosts.RouteOf(listener)["timeout"] = how.timeout
	}
	return listener
}

// filter is the filter of this name.
func (how setup) filter(t *testing.T, name string) object {
	t.Helper()
	filter := hosts.Filter{Name: name, Config: how.config, HoldsHeaders: !how.noFlag, Env: map[string]string{"SECRET": secret}}
	if filter.Config == "" {
		filter.Config = envoyGate
	}
	filter.Module = hosts.BuildWasm(t, "./envoy-wasm", "-tags="+how.tags)
	return filter.JSON()
}

// sender sends to the site as the tests of Caddy do.
func (s *envoySite) sender() *caddySite { return &caddySite{Address: s.Address} }

func (s *envoySite) send(t *testing.T, d sign.Delivery) answer {
	t.Helper()
	return s.sender().send(t, d)
}

// over sends a delivery by a client of the test's.
func (s *envoySite) over(t *testing.T, client *http.Client, d sign.Delivery) answer {
	t.Helper()
	a, err := s.sender().trySend(t.Context(), client, d)
	if err != nil {
		t.Fatal(err)
	}
	return a
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

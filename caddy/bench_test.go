package hookward

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookward/hookward/e2e/load"
)

// BenchmarkServe is what a gate costs inside Caddy: new signed messages, claimed
// in memory and settled; the handler behind answers at once.
func BenchmarkServe(b *testing.B) {
	gate := benchGate(b)
	requests := benchRequests(b, b.N)
	next := caddyhttp.HandlerFunc(func(w http.ResponseWriter, r *http.Request) error {
		_, err := w.Write([]byte("ok"))
		return err
	})
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	b.ResetTimer()
	for _, r := range requests {
		if err := gate.ServeHTTP(w, r, next); err != nil {
			b.Fatal(err)
		}
	}
	if w.status != 200 {
		b.Fatalf("the gate answered %d", w.status)
	}
}

func benchGate(b *testing.B) *Gate {
	ctx, err := caddy.ProvisionContext(&caddy.Config{})
	if err != nil {
		b.Fatal(err)
	}
	gate := new(Gate)
	gate.Provider, gate.Secrets = "meta", []string{"s3cr3t-of-the-app"}
	if err := gate.Provision(ctx); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = gate.app.Cleanup() })
	return gate
}

// benchRequests are n requests as Caddy's server hands them to a handler.
func benchRequests(b *testing.B, n int) []*http.Request {
	requests := make([]*http.Request, n)
	for i, raw := range load.WhatsApp("/hooks/meta", "s3cr3t-of-the-app", 0, n) {
		head, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		r := httptest.NewRequest("POST", "/hooks/meta", bytes.NewReader(body))
		for _, line := range bytes.Split(head, []byte("\r\n"))[2:] {
			name, value, _ := bytes.Cut(line, []byte(": "))
			r.Header.Set(string(name), string(value))
		}
		requests[i] = caddyhttp.PrepareRequest(r, caddy.NewReplacer(), nil, new(caddyhttp.Server))
	}
	return requests
}

// discard is a client that notes the status of an answer.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return io.Discard.Write(p) }

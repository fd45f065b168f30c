package hosts

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Backend is a backend that remembers every request that reached it.
type Backend struct {
	// Address is host and port.
	Address string

	server *httptest.Server
	mu     sync.Mutex
	status int
	seen   []Seen
}

// Seen is a request as the backend received it.
type Seen struct {
	Method, Target, Host string
	Header, Trailer      http.Header
	Body                 []byte
}

// StartBackend starts a backend that answers 200 until told otherwise.
func StartBackend(t testing.TB) *Backend {
	b := &Backend{status: http.StatusOK}
	b.server = httptest.NewServer(b)
	t.Cleanup(b.Stop)
	b.Address = b.server.Listener.Addr().String()
	return b
}

// Stop makes the backend unreachable.
func (b *Backend) Stop() { b.server.Close() }

// Answer sets the status of the answers to come.
func (b *Backend) Answer(status int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status = status
}

// Take returns what has been seen since the last call, and forgets it.
func (b *Backend) Take() []Seen {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := b.seen
	b.seen = nil
	return seen
}

func (b *Backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the request broke off: it never was one
	}
	b.mu.Lock()
	b.seen = append(b.seen, Seen{r.Method, r.RequestURI, r.Host, r.Header, r.Trailer, body})
	status := b.status
	b.mu.Unlock()
	w.WriteHeader(status)
}

// StartSink starts a backend that answers 200 with a short body and remembers
// nothing, for measurements. It returns its address.
func StartSink(t testing.TB) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

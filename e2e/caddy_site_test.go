package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// patience bounds every wait of a test; it is far longer than any takes.
const patience = 2 * time.Minute

const secret = "an-invented-secret-of-40-characters-0001"

// caddySite is a real Caddy with one site, at Address, in front of a backend.
type caddySite struct {
	*hosts.Caddy
	Address string
	Backend string
}

// newSite starts Caddy and a backend with this handler. The Caddyfile comes
// with load.
func newSite(t *testing.T, backend http.Handler) *caddySite {
	t.Helper()
	server := httptest.NewServer(backend)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return &caddySite{
		Caddy:   hosts.StartCaddy(t, "SECRET="+secret),
		Address: fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(t)),
		Backend: server.Listener.Addr().String(),
	}
}

// siteWith is newSite with a configuration: the directives of the site, where
// BACKEND is the backend's address.
func siteWith(t *testing.T, backend http.Handler, directives string) *caddySite {
	t.Helper()
	s := newSite(t, backend)
	s.load(t, "", directives)
	return s
}

// load loads a Caddyfile of global options and the site's directives.
func (s *caddySite) load(t *testing.T, global, directives string) {
	t.Helper()
	if err := s.tryLoad(t, global, directives); err != nil {
		t.Fatal(err)
	}
}

func (s *caddySite) tryLoad(t *testing.T, global, directives string) error {
	t.Helper()
	return s.Load(t, "text/caddyfile", s.caddyfile(global, directives))
}

func (s *caddySite) caddyfile(global, directives string) string {
	_, port, _ := net.SplitHostPort(s.Address)
	text := fmt.Sprintf("{\nadmin %s\npersist_config off\nauto_https off\n%s\n}\nhttp://:%s {\nbind 127.0.0.1\n%s\n}\n", s.Admin, global, port, directives)
	return strings.ReplaceAll(text, "BACKEND", s.Backend)
}

// metaGate is a site with one gate for Meta in front of the backend.
const metaGate = `
verify_webhook meta {
	secret {env.SECRET}
}
reverse_proxy BACKEND`

// answer is what the sender got.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.Status, a.Body) }

// meta is a fresh delivery of Meta's.
func meta() sign.Delivery { return sign.New("meta", secret, "", "/hook") }

// send sends a delivery and waits for the whole answer. A load ends the servers
// of the one before, and with them connections that they have just taken and
// not looked at: then it tries again.
func (s *caddySite) send(t *testing.T, d sign.Delivery) answer {
	t.Helper()
	a, err := s.trySend(t.Context(), newClient(), d)
	for range 100 {
		if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
			break
		}
		a, err = s.trySend(t.Context(), newClient(), d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// newClient is a client whose connections nobody shares: a reload closes those
// that lie idle.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

func (s *caddySite) trySend(ctx context.Context, client *http.Client, d sign.Delivery) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	resp, err := client.Do(s.request(ctx, d))
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body)}, err
}

func (s *caddySite) request(ctx context.Context, d sign.Delivery) *http.Request {
	r, err := http.NewRequestWithContext(ctx, d.Method, "http://"+s.Address+d.Target, strings.NewReader(d.Body))
	if err != nil {
		panic(err) // a test's own mistake
	}
	r.Header = d.Header.Clone()
	return r
}

// raw sends bytes as they stand and reads one answer. More may be nil, or write
// what follows. Like send it tries again on a connection that a load has ended.
func raw(t *testing.T, address, head string, more func(net.Conn)) answer {
	t.Helper()
	for range 100 {
		a, err := tryRaw(address, head, more)
		if err == nil {
			return a
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatal(err)
		}
	}
	t.Fatal("no answer")
	return answer{}
}

func tryRaw(address, head string, more func(net.Conn)) (answer, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return answer{}, err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	go func() {
		_, _ = io.WriteString(conn, head)
		if more != nil {
			more(conn)
		}
	}()
	return readAnswer(conn)
}

func readAnswer(r io.Reader) (answer, error) {
	resp, err := http.ReadResponse(bufio.NewReader(r), nil)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.Close {
		resp.Header.Set("Connection", "close") // ReadResponse takes it out
	}
	return answer{resp.StatusCode, resp.Header, string(body)}, err
}

// headOf is the text of a delivery's request up to the body, with more lines.
func headOf(d sign.Delivery, more ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: example.com\r\n", d.Method, d.Target)
	_ = d.Header.Write(&b)
	for _, line := range more {
		b.WriteString(line + "\r\n")
	}
	return b.String() + "\r\n"
}

func lengthOf(d sign.Delivery) string { return fmt.Sprintf("Content-Length: %d", len(d.Body)) }

// wantCode checks that an answer is the rejection with this code.
func (a answer) wantCode(t *testing.T, status int, code string) {
	t.Helper()
	if a.Status != status || !strings.Contains(a.Body, `"code":"`+code+`"`) {
		t.Errorf("got %v, want %d %s", a, status, code)
	}
}

func (a answer) want(t *testing.T, status int) {
	t.Helper()
	if a.Status != status {
		t.Errorf("got %v, want %d", a, status)
	}
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// recorder is a backend that remembers what reached it and answers 200, or as
// its answer says.
type recorder struct {
	mu     sync.Mutex
	answer http.HandlerFunc
	seen   []hosts.Seen
}

// will says how the requests to come are answered; nil is 200.
func (b *recorder) will(answer http.HandlerFunc) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answer = answer
}

func (b *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	b.mu.Lock()
	b.seen = append(b.seen, hosts.Seen{Method: r.Method, Target: r.RequestURI, Host: r.Host, Header: r.Header, Trailer: r.Trailer, Body: body})
	answer := b.answer
	b.mu.Unlock()
	if answer != nil {
		answer(w, r)
	}
}

// take returns what was seen since the last call.
func (b *recorder) take() []hosts.Seen {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := b.seen
	b.seen = nil
	return seen
}

// one is the only request seen since the last call.
func (b *recorder) one(t *testing.T) hosts.Seen {
	t.Helper()
	seen := b.take()
	if len(seen) != 1 {
		t.Fatalf("%d requests reached the backend, want 1", len(seen))
	}
	return seen[0]
}

func (b *recorder) none(t *testing.T) {
	t.Helper()
	if seen := b.take(); len(seen) != 0 {
		t.Errorf("%d requests reached the backend, want none; the first: %s %s %v %s", len(seen), seen[0].Method, seen[0].Target, seen[0].Header, seen[0].Body)
	}
}

// reserved are the fields of header and trailers that would pass for ours.
func reserved(s hosts.Seen) (names []string) {
	for _, h := range []http.Header{s.Header, s.Trailer} {
		for name := range h {
			folded := strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(name))
			if strings.HasPrefix(folded, "x-hookward-") {
				names = append(names, name)
			}
		}
	}
	return names
}

// waitForLog waits until Caddy has printed a text, which it may do after it has
// answered.
func (s *caddySite) waitForLog(t *testing.T, text string) {
	t.Helper()
	eventually(t, "the log says "+text, func() bool { return strings.Contains(s.Output(), text) })
}

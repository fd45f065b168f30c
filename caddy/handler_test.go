package hookward

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookward/hookward/e2e/sign"
)

const testSecret = "an-invented-secret-of-40-characters-0002"

// next is what the handlers of the test's server do, behind the gate and before
// it.
var next, before atomic.Value // of caddyhttp.HandlerFunc

func init() {
	caddy.RegisterModule(testHandler{})
	caddy.RegisterModule(testBefore{})
}

type testHandler struct{}

func (testHandler) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test_next", New: func() caddy.Module { return new(testHandler) }}
}

func (testHandler) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	return next.Load().(caddyhttp.HandlerFunc)(w, r)
}

type testBefore struct{}

func (testBefore) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.test_before", New: func() caddy.Module { return new(testBefore) }}
}

func (testBefore) ServeHTTP(w http.ResponseWriter, r *http.Request, h caddyhttp.Handler) error {
	if err := before.Load().(caddyhttp.HandlerFunc)(w, r); err != nil {
		return err
	}
	return h.ServeHTTP(w, r)
}

// startCaddy runs Caddy in this process, so that the race detector sees it, and
// returns the server's address.
func startCaddy(t *testing.T, gate string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	behind(func(w http.ResponseWriter, _ *http.Request) error { w.WriteHeader(200); return nil })
	ahead(func(http.ResponseWriter, *http.Request) error { return nil })
	loadCaddy(t, address, gate)
	t.Cleanup(func() {
		if err := caddy.Stop(); err != nil {
			t.Error(err)
		}
	})
	return address
}

func loadCaddy(t *testing.T, address, gate string) {
	t.Helper()
	config := fmt.Sprintf(`{"admin":{"disabled":true,"config":{"persist":false}},
		"logging":{"logs":{"default":{"level":"ERROR","writer":{"output":"file","filename":%q,"roll":false}}}},
		"apps":{"http":{"servers":{"s":{"listen":[%q],"automatic_https":{"disable":true},"routes":[{"handle":[
		{"handler":"test_before"},{"handler":"verify_webhook",%s},{"handler":"test_next"}]}]}}}}}`, filepath.Join(t.TempDir(), "log"), address, gate)
	if err := caddy.Load([]byte(config), true); err != nil {
		t.Fatal(err)
	}
}

func behind(h caddyhttp.HandlerFunc) { next.Store(h) }
func ahead(h caddyhttp.HandlerFunc)  { before.Store(h) }

// memoryGate is a gate for Meta with a store of the test's own.
func memoryGate(t *testing.T, lease string) string {
	return fmt.Sprintf(`"provider":"meta","secrets":[%q],"replay":{"lease":%q,"store":{"module":"memory","name":%q}}`, testSecret, lease, t.Name())
}

func deliver(t *testing.T, address string, d sign.Delivery) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(d.Method, "http://"+address+d.Target, strings.NewReader(d.Body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = d.Header.Clone()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp, string(body)
}

func code(resp *http.Response) int {
	if resp == nil {
		return 0
	}
	return resp.StatusCode
}

// TestHandlersBehindTheGate holds what a handler may do against what becomes of
// the claims: sent again, the delivery is a duplicate, new, or still pending.
func TestHandlersBehindTheGate(t *testing.T) {
	address := startCaddy(t, memoryGate(t, "60s"))
	boom := errors.New("boom")
	for _, c := range []struct {
		name string
		do   caddyhttp.HandlerFunc
		got  int // 0: a connection that broke
		then string
	}{
		{"writes a body without a status", func(w http.ResponseWriter, _ *http.Request) error {
			_, err := io.WriteString(w, "ok")
			return err
		}, 200, "duplicate"},
		{"flushes first", func(w http.ResponseWriter, _ *http.Request) error {
			return http.NewResponseController(w).Flush()
		}, 200, "duplicate"},
		{"copies from a reader", func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Length", "5")
			_, err := io.Copy(w, io.LimitReader(strings.NewReader("hello"), 5))
			return err
		}, 200, "duplicate"},
		{"writes nothing", func(http.ResponseWriter, *http.Request) error { return nil }, 502, "new"},
		{"returns an error", func(http.ResponseWriter, *http.Request) error { return caddyhttp.Error(503, boom) }, 503, "new"},
		{"returns an error after a success", func(w http.ResponseWriter, _ *http.Request) error {
			w.WriteHeader(200)
			return boom
		}, 0, "pending"},
		{"panics", func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) }, 0, "new"},
		{"panics after a success", func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "half")
			panic(http.ErrAbortHandler)
		}, 0, "pending"},
		{"takes the connection", func(w http.ResponseWriter, _ *http.Request) error {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				err = conn.Close()
			}
			return err
		}, 200, "pending"},
	} {
		t.Run(c.name, func(t *testing.T) {
			behind(c.do)
			d := sign.New("meta", testSecret, "", "/")
			if resp, text := deliver(t, address, d); code(resp) != c.got {
				t.Errorf("the sender got %d %s, want %d", code(resp), text, c.got)
			}
			reached := false
			behind(func(w http.ResponseWriter, _ *http.Request) error {
				reached = true
				w.WriteHeader(200)
				return nil
			})
			resp, _ := deliver(t, address, d)
			then := "new"
			switch {
			case code(resp) == 503:
				then = "pending"
			case resp != nil && resp.Header.Get("X-Hookward-Duplicate") != "":
				then = "duplicate"
			}
			if then != c.then || reached != (c.then == "new") {
				t.Errorf("sent again it is %s (reached the handler: %v), want %s", then, reached, c.then)
			}
		})
	}
}

// TestForwardedRequest: what a handler behind the gate may rely on.
func TestForwardedRequest(t *testing.T) {
	address := startCaddy(t, memoryGate(t, "60s"))
	behind(func(w http.ResponseWriter, r *http.Request) error {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		if r.GetBody == nil {
			t.Error("no GetBody: a proxy can't send the request again on a connection that turned out dead")
			return nil
		}
		again, err := r.GetBody()
		if err != nil {
			return err
		}
		second, _ := io.ReadAll(again)
		if !bytes.Equal(body, second) || r.ContentLength != int64(len(body)) || r.Header.Get("Content-Length") != fmt.Sprint(len(body)) {
			t.Errorf("body of %d bytes, again %d, ContentLength %d, header %q", len(body), len(second), r.ContentLength, r.Header.Get("Content-Length"))
		}
		if len(r.TransferEncoding) > 0 || r.Trailer != nil {
			t.Errorf("transfer encoding %v, trailers %v", r.TransferEncoding, r.Trailer)
		}
		w.WriteHeader(200)
		return nil
	})
	if resp, text := deliver(t, address, sign.New("meta", testSecret, "", "/")); code(resp) != 200 {
		t.Errorf("got %d %s", code(resp), text)
	}
}

// TestTokenIsGoneFromTheOriginal: FastCGI backends are told the original URL.
func TestTokenIsGoneFromTheOriginal(t *testing.T) {
	address := startCaddy(t, fmt.Sprintf(`"provider":"africastalking","secrets":[%q],"replay":"off"`, testSecret))
	behind(func(w http.ResponseWriter, r *http.Request) error {
		original := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
		for _, text := range []string{r.RequestURI, r.URL.String(), original.RequestURI, original.URL.String()} {
			if text != "/a?x=1" {
				t.Errorf("a handler behind the gate sees %q, want %q", text, "/a?x=1")
			}
		}
		w.WriteHeader(200)
		return nil
	})
	d := sign.New("africastalking", testSecret, "", "/a?apiKey="+testSecret+"&x=1")
	d.Header.Del("X-Api-Key")
	if resp, text := deliver(t, address, d); code(resp) != 200 {
		t.Errorf("got %d %s", code(resp), text)
	}
}

// TestEarlyData: a request in TLS early data can be replayed by whoever
// recorded it.
func TestEarlyData(t *testing.T) {
	address := startCaddy(t, memoryGate(t, "60s"))
	for complete, want := range map[bool]int{false: http.StatusTooEarly, true: 200} {
		ahead(func(_ http.ResponseWriter, r *http.Request) error {
			r.TLS = &tls.ConnectionState{HandshakeComplete: complete}
			return nil
		})
		if resp, text := deliver(t, address, sign.New("meta", testSecret, "", "/")); code(resp) != want {
			t.Errorf("handshake complete %v: got %d %s, want %d", complete, code(resp), text, want)
		}
	}
}

// TestVarsCannotPassForAGate: the mark of a gate is none that a directive can
// set.
func TestVarsCannotPassForAGate(t *testing.T) {
	address := startCaddy(t, memoryGate(t, "60s"))
	ahead(func(_ http.ResponseWriter, r *http.Request) error {
		caddyhttp.SetVar(r.Context(), passedVar, true)
		r.Header.Set("X-Hookward-Assurance", "forged")
		return Strip{}.ServeHTTP(nil, r, caddyhttp.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) error {
			if r.Header.Get("X-Hookward-Assurance") != "" {
				t.Error("a field survived because a variable was set")
			}
			return nil
		}))
	})
	if resp, text := deliver(t, address, sign.New("meta", testSecret, "", "/")); code(resp) != 200 {
		t.Errorf("got %d %s", code(resp), text)
	}
}

// TestLoadAndReload runs deliveries, each sent twice at once, while the
// configuration is loaded again and again: for the race detector, and exactly
// one of each reaches the handler.
func TestLoadAndReload(t *testing.T) {
	address := startCaddy(t, memoryGate(t, "60s"))
	var reached atomic.Int64
	behind(func(w http.ResponseWriter, _ *http.Request) error {
		reached.Add(1)
		w.WriteHeader(200)
		return nil
	})
	stop := make(chan struct{})
	var loads, senders sync.WaitGroup
	loads.Go(func() {
		for i := range 1000 {
			select {
			case <-stop:
				return
			default:
				loadCaddy(t, address, memoryGate(t, fmt.Sprintf("%ds", 60+i%2)))
			}
		}
	})
	const each, workers = 20, 4
	for range workers {
		senders.Go(func() {
			for range each {
				d := sign.New("meta", testSecret, "", "/")
				var pair sync.WaitGroup
				for range 2 {
					pair.Go(func() {
						for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
							if resp, _ := deliver(t, address, d); code(resp) == 200 {
								return
							}
						}
						t.Error("never taken")
					})
				}
				pair.Wait()
			}
		})
	}
	senders.Wait()
	close(stop)
	loads.Wait()
	if n := reached.Load(); n != each*workers {
		t.Errorf("%d deliveries reached the handler, want %d", n, each*workers)
	}
}

// TestRenewalStops: no renewal is under way when stop has returned, and none
// follows.
func TestRenewalStops(t *testing.T) {
	for range 200 {
		var stopped atomic.Bool
		var after atomic.Int64
		renewed := make(chan struct{}, 1)
		r := new(renewal)
		r.start(time.Microsecond, func() {
			if stopped.Load() {
				after.Add(1)
			}
			select {
			case renewed <- struct{}{}:
			default:
			}
		})
		<-renewed
		r.stop()
		stopped.Store(true)
		if r.timer.Stop() || after.Load() > 0 {
			t.Fatalf("renewed %d times after stop", after.Load())
		}
	}
}

// TestCapacityNote says it in round words.
func TestCapacityNote(t *testing.T) {
	for _, c := range []struct {
		claims int
		window time.Duration
		want   string
	}{
		{1_000_000, 8 * 24 * time.Hour, "1,000,000 claims over 8d hold 1.4 events a second"},
		{1_000_000, 24 * time.Hour, "1,000,000 claims over 24h hold 12 events a second"},
		{1_000_000, 185 * time.Hour, "1,000,000 claims over 185h hold 1.5 events a second"},
		{1_000_000, 27*time.Hour + 5*time.Minute, "1,000,000 claims over 27h hold 10 events a second"},
		{1_000_000, 8*24*time.Hour + 5*time.Minute, "1,000,000 claims over 8d hold 1.4 events a second"},
		{500, 90 * time.Minute, "500 claims over 90m hold 0.093 events a second"},
		{100_000_000, time.Minute, "100,000,000 claims over 60s hold 1666667 events a second"},
	} {
		if got := capacityNote(c.claims, c.window); got != c.want {
			t.Errorf("capacityNote(%d, %v) = %q, want %q", c.claims, c.window, got, c.want)
		}
	}
}

// TestOriginForm reads targets that are whole URLs.
func TestOriginForm(t *testing.T) {
	for target, want := range map[string]string{
		"/a?b=http://c":            "/a?b=http://c",
		"http://example.com/a?b=c": "/a?b=c",
		"http://example.com":       "/",
		"http://example.com?b":     "/?b",
		"//a/b":                    "//a/b",
		"*":                        "*",
		"":                         "",
	} {
		if got := originForm(target); got != want {
			t.Errorf("originForm(%q) = %q, want %q", target, got, want)
		}
	}
}

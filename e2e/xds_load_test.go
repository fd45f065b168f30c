package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	loadConnections = 4
	loadPause       = 20 * time.Millisecond // of each connection, after 5 messages
	leastMessages   = 2000
)

// xdsLoad sends genuine and forged messages in turns.
type xdsLoad struct {
	gate            string // the URL before the path
	finished        atomic.Bool
	signing         sync.RWMutex // while a message signed with secret is on its way
	secret          string
	retired         atomic.Value // a string
	number          atomic.Int64
	genuine, forged atomic.Int64 // sent, and answered as they should be
	senders         sync.WaitGroup
}

func startLoad(t *testing.T, gate string) *xdsLoad {
	l := &xdsLoad{gate: gate, secret: firstSecret}
	l.retired.Store("never a secret")
	for range loadConnections {
		l.senders.Go(func() { l.send(t) })
	}
	return l
}

func (l *xdsLoad) send(t *testing.T) {
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}, Timeout: patience}
	for !l.finished.Load() && !t.Failed() {
		l.signing.RLock()
		l.message(t, client, l.gate+"/hooks/meta", l.secret, http.StatusOK)
		l.message(t, client, l.gate+"/elsewhere", l.secret, http.StatusNotFound)
		l.signing.RUnlock()
		l.message(t, client, l.gate+"/hooks/meta", l.retired.Load().(string), http.StatusUnauthorized)
		l.message(t, client, l.gate+"/hooks/meta", "", http.StatusUnauthorized)
		l.message(t, client, l.gate+"/hooks/Meta/..%2fmeta", "", http.StatusBadRequest)
		time.Sleep(loadPause)
	}
}

// signWith lets all messages from now on be signed with another secret; those
// signed with the one before have been answered when it returns.
func (l *xdsLoad) signWith(secret string) {
	l.signing.Lock()
	defer l.signing.Unlock()
	l.secret = secret
}

// goesOn waits for a hundred more genuine messages.
func (l *xdsLoad) goesOn(t *testing.T) {
	t.Helper()
	before := l.genuine.Load()
	eventually(t, "the load goes on", func() bool { return l.genuine.Load() >= before+100 || t.Failed() })
}

// message sends a new message, and counts it if it is answered as wanted.
func (l *xdsLoad) message(t *testing.T, client *http.Client, url, secret string, want int) {
	text := "genuine"
	if want != http.StatusOK {
		text = "forged"
	}
	got, err := l.try(client, url, secret, text)
	switch {
	case err != nil || got != want:
		t.Errorf("a message to %s is answered %d (%v), want %d", url, got, err, want)
	case want == http.StatusOK:
		l.genuine.Add(1)
	default:
		l.forged.Add(1)
	}
}

// try sends a new message, signed with a secret unless that is empty.
func (l *xdsLoad) try(client *http.Client, url, secret, text string) (status int, err error) {
	resp, err := l.post(client, url, secret, whatsAppText(fmt.Sprint(l.number.Add(1)), text))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func (l *xdsLoad) post(client *http.Client, url, secret, body string) (*http.Response, error) {
	req, err := http.NewRequest("POST", url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Hookward-Endpoint", "meta")
	req.Header.Set("X-Hookward-Assurance", "signature")
	if secret != "" {
		req.Header.Set("X-Hub-Signature-256", signature("X-Hub-Signature-256", secret, "", body))
	}
	return client.Do(req)
}

// settled waits until all workers of Envoy answer as wanted: they take a change
// over one after the other, when Envoy has accepted it already. Each message
// has a connection of its own, which any worker may take.
func (l *xdsLoad) settled(t *testing.T, url, secret string, want int) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	deadline := time.Now().Add(patience)
	for inRow := 0; inRow < 20; inRow++ {
		got, err := l.try(client, url, secret, "genuine")
		if err != nil {
			t.Fatal(err)
		}
		if got == http.StatusOK {
			l.genuine.Add(1)
		}
		switch {
		case got != want && time.Now().After(deadline):
			t.Fatalf("a message to %s is still answered %d, want %d", url, got, want)
		case got != want:
			inRow = -1
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// stop ends the load.
func (l *xdsLoad) stop() {
	l.finished.Store(true)
	l.senders.Wait()
}

// compare compares what was sent with what the backends have seen.
func (l *xdsLoad) compare(t *testing.T, ledger *ledger) {
	ledger.mu.Lock()
	defer ledger.mu.Unlock()
	if genuine := l.genuine.Load(); int64(len(ledger.seen)) != genuine {
		t.Errorf("%d genuine messages were accepted, the backends have %d; want the same number", genuine, len(ledger.seen))
	}
	for id, n := range ledger.seen {
		if n != 1 {
			t.Errorf("%s came %d times", id, n)
		}
	}
	for _, wrong := range ledger.wrong {
		t.Error(wrong)
	}
	t.Logf("%d genuine messages, %d forged", l.genuine.Load(), l.forged.Load())
}

// again sends the very first message once more: what was claimed under the first
// configuration is known under the last.
func (l *xdsLoad) again(t *testing.T, secret string) {
	resp, err := l.post(http.DefaultClient, l.gate+"/hooks/meta", secret, whatsAppText("1", "genuine"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("X-Hookward-Duplicate") != "true" {
		t.Errorf("the first message again is answered %d, %v; want a duplicate", resp.StatusCode, resp.Header)
	}
}

// ledger is what backends have received.
type ledger struct {
	mu    sync.Mutex
	seen  map[string]int // messages by id
	wrong []string       // requests that should not have come
}

// start starts a backend and returns its address.
func (l *ledger) start(t *testing.T) string {
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func (l *ledger) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var delivery struct {
		Assurance string
		Events    []struct{ ID, Message string }
	}
	err := json.NewDecoder(r.Body).Decode(&delivery)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil || delivery.Assurance != "signature" || len(delivery.Events) != 1 || delivery.Events[0].Message != "genuine" {
		l.wrong = append(l.wrong, fmt.Sprintf("%s reached a backend with %v, %v", r.URL, delivery, err))
		return
	}
	l.seen[delivery.Events[0].ID]++
}

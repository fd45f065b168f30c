package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// wantDuplicate checks that an answer acknowledges a duplicate.
func (a answer) wantDuplicate(t *testing.T) {
	t.Helper()
	if a.Status != 200 || a.Header.Get("X-Hookward-Duplicate") != "true" {
		t.Errorf("got %v %v, want the acknowledgement of a duplicate", a, a.Header)
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// broken answers in ways that are no whole answer.
var broken = map[string]http.HandlerFunc{
	"resets": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"switches protocols uninvited": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusSwitchingProtocols)
	},
}

// TestCaddyOutcomes: what the backend answers reaches the sender, and decides
// whether the same delivery is new when it comes again at once.
func TestCaddyOutcomes(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, metaGate)
	for _, code := range []int{200, 201, 202, 204, 206, 226} {
		backend.will(status(code))
		d := meta()
		s.send(t, d).want(t, code)
		s.send(t, d).wantDuplicate(t)
		backend.one(t)
	}
	for _, code := range []int{300, 304, 400, 401, 404, 409, 410, 429, 499, 500, 502, 503, 504, 599} {
		backend.will(status(code))
		d := meta()
		s.send(t, d).want(t, code)
		backend.will(nil)
		s.send(t, d).want(t, 200)
		if n := len(backend.take()); n != 2 {
			t.Errorf("after %d the backend saw the delivery %d times in all, want 2", code, n)
		}
	}
	for name, answer := range broken {
		backend.will(answer)
		d := meta()
		s.send(t, d).want(t, 502)
		backend.will(nil)
		s.send(t, d).want(t, 200)
		if n := len(backend.take()); n != 2 {
			t.Errorf("backend that %s: it saw the delivery %d times in all, want 2", name, n)
		}
	}
}

// TestCaddyEarlyHints: 1xx are no outcome.
func TestCaddyEarlyHints(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, metaGate)
	hints := func(final int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", "</a>; rel=preload")
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(final)
		}
	}
	d := meta()
	backend.will(hints(500))
	s.send(t, d).want(t, 500)
	backend.will(hints(200))
	s.send(t, d).want(t, 200)
	s.send(t, d).wantDuplicate(t)
}

// leaseGates are two gates that differ in their leases: at /hook one is pending
// for as long as a test may take, at /short it soon ends.
const leaseGates = `
verify_webhook /hook meta {
	secret {env.SECRET}
}
verify_webhook /short meta {
	name short
	secret {env.SECRET}
	replay {
		lease 1s
	}
}
reverse_proxy BACKEND`

// short is a fresh delivery for the gate with the short lease.
func short() sign.Delivery { return sign.New("meta", secret, "", "/short") }

// TestCaddyAnswerBreaksOff: after half an answer nobody knows; the lease
// decides.
func TestCaddyAnswerBreaksOff(t *testing.T) {
	t.Parallel()
	for _, length := range []string{"", "100000"} {
		backend := &recorder{answer: func(w http.ResponseWriter, _ *http.Request) {
			if length != "" {
				w.Header().Set("Content-Length", length)
			}
			_, _ = io.WriteString(w, strings.Repeat("half", 5000))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}}
		s := siteWith(t, backend, leaseGates)
		long, short := meta(), short()
		for _, d := range []sign.Delivery{long, short} {
			if a, err := s.trySend(t.Context(), http.DefaultClient, d); err == nil {
				t.Errorf("half an answer reached the sender as a whole one: %d", a.Status)
			}
			backend.one(t)
		}
		backend.will(nil)
		s.send(t, long).wantCode(t, 503, "duplicate_in_flight")
		backend.none(t)
		eventually(t, "the lease ends", func() bool { return s.send(t, short).Status == 200 })
		backend.one(t)
	}
}

// TestCaddyNothingBehindTheGate: an empty 200 would lose the event.
func TestCaddyNothingBehindTheGate(t *testing.T) {
	t.Parallel()
	s := siteWith(t, &recorder{}, strings.Replace(metaGate, "reverse_proxy BACKEND", "", 1))
	d := meta()
	s.send(t, d).want(t, 502)
	s.send(t, d).want(t, 502)
	s.waitForLog(t, "no handler answered behind the gate")
}

// TestCaddyNoBackend: an error of the proxy releases, also where a route
// handles it.
func TestCaddyNoBackend(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	dead := strings.Replace(metaGate, "BACKEND", fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(t)), 1)
	s.load(t, "", dead)
	d := meta()
	s.send(t, d).want(t, 502)
	s.load(t, "", dead+"\nhandle_errors {\nrespond \"{header.X-Hookward-Assurance}sorry\" 503\n}")
	if a := s.send(t, d); a.Status != 503 || a.Body != "sorry" {
		t.Errorf("got %v, want the error route's 503 without our fields", a)
	}
	s.load(t, "", metaGate)
	s.send(t, d).want(t, 200)
	backend.one(t)
}

// TestCaddyBackendTimesOut: an answer that does not come is none.
func TestCaddyBackendTimesOut(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	defer close(hang)
	backend := &recorder{answer: func(http.ResponseWriter, *http.Request) { <-hang }}
	s := siteWith(t, backend, strings.Replace(metaGate, "BACKEND", "BACKEND {\ntransport http {\nresponse_header_timeout 50ms\n}\n}", 1))
	d := meta()
	s.send(t, d).want(t, 504)
	s.send(t, d).want(t, 504) // as a new one: Caddy may give up before the backend has read it
}

// TestCaddyRetries: the proxy can send the new body again.
func TestCaddyRetries(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	dead := fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(t))
	s.load(t, "", strings.Replace(metaGate, "reverse_proxy BACKEND", "reverse_proxy "+dead+" BACKEND {\nlb_policy first\nlb_retries 2\nfail_duration 10s\n}", 1))
	d := meta()
	s.send(t, d).want(t, 200)
	if body := string(backend.one(t).Body); !strings.Contains(body, `"events":[`) {
		t.Errorf("after a dial error the backend saw %q", body)
	}
	var tries atomic.Int32
	backend.will(func(http.ResponseWriter, *http.Request) {
		if tries.Add(1) == 1 {
			panic(http.ErrAbortHandler)
		}
	})
	s.load(t, "", strings.Replace(metaGate, "BACKEND", "BACKEND {\nlb_retries 2\nrequest_buffers 1MiB\nlb_retry_match {\nmethod POST\n}\n}", 1))
	s.send(t, meta()).want(t, 200)
	seen := backend.take()
	if len(seen) != 2 || !bytes.Equal(seen[0].Body, seen[1].Body) || len(seen[1].Body) == 0 {
		t.Errorf("after a reset the backend saw %d requests, want the same one twice", len(seen))
	}
}

// TestCaddySenderLeaves: whoever has left, the backend's outcome decides, and
// its work is not cut short.
func TestCaddySenderLeaves(t *testing.T) {
	t.Parallel()
	for _, final := range []int{200, 500} {
		var cancelled atomic.Bool
		working, left, finish := make(chan struct{}, 9), make(chan struct{}), make(chan struct{})
		backend := &recorder{}
		s := siteWith(t, backend, strings.Replace(metaGate, "meta {", "/hook meta {", 1))
		backend.will(func(w http.ResponseWriter, r *http.Request) {
			working <- struct{}{}
			if r.URL.Path == "/open" {
				<-r.Context().Done() // Caddy has seen its sender leave
				close(left)
				return
			}
			select {
			case <-r.Context().Done():
				cancelled.Store(true)
			case <-finish:
			}
			w.WriteHeader(final)
		})
		// The open path shows when Caddy has noticed that senders leave.
		d, open := meta(), meta()
		open.Target = "/open"
		ctx, cancel := context.WithCancel(t.Context())
		var senders sync.WaitGroup
		for _, each := range []sign.Delivery{d, open} {
			senders.Go(func() {
				if a, err := s.trySend(ctx, newClient(), each); err == nil {
					t.Errorf("an answer before the sender left: %v", a)
				}
			})
			<-working
		}
		cancel()
		senders.Wait()
		<-left
		s.send(t, d).wantCode(t, 503, "duplicate_in_flight")
		close(finish)
		var last answer
		eventually(t, "the claim is settled", func() bool {
			last = s.send(t, d)
			return last.Status != 503
		})
		if cancelled.Load() {
			t.Error("the sender's leaving cancelled the backend's work")
		}
		gated := 0
		for _, seen := range backend.take() {
			if seen.Target == "/hook" {
				gated++
			}
		}
		if final == 200 {
			last.wantDuplicate(t)
		}
		if want := map[int]int{200: 1, 500: 2}[final]; gated != want {
			t.Errorf("backend answering %d: it saw the delivery %d times, want %d", final, gated, want)
		}
	}
}

// TestCaddySenderLeavesDuringTheAnswer: the rest of the answer is read all the
// same, since its end tells.
func TestCaddySenderLeavesDuringTheAnswer(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	backend := &recorder{answer: func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		<-gone
		for range 500 {
			if _, err := io.WriteString(w, strings.Repeat("x", 10_000)); err != nil {
				return
			}
		}
	}}
	s := siteWith(t, backend, metaGate)
	d := meta()
	client := newClient()
	ctx, cancel := context.WithCancel(t.Context())
	resp, err := client.Do(s.request(ctx, d))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	cancel()
	resp.Body.Close()
	close(gone)
	var last answer
	eventually(t, "the claim is settled", func() bool {
		last = s.send(t, d)
		return last.Status != 503
	})
	last.wantDuplicate(t)
	backend.one(t)
}

// TestCaddySenderLeavesForGood: work that nobody waits for ends with the lease,
// which then decides.
func TestCaddySenderLeavesForGood(t *testing.T) {
	t.Parallel()
	cancelled := make(chan struct{})
	var once sync.Once
	working := make(chan struct{}, 9)
	backend := &recorder{answer: func(_ http.ResponseWriter, r *http.Request) {
		working <- struct{}{}
		<-r.Context().Done()
		once.Do(func() { close(cancelled) })
	}}
	s := siteWith(t, backend, strings.Replace(metaGate, "secret", "replay {\nlease 8s\n}\nsecret", 1))
	d := meta()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-working; cancel() }()
	if _, err := s.trySend(ctx, newClient(), d); err == nil {
		t.Error("an answer before the sender left")
	}
	select {
	case <-cancelled:
	case <-time.After(patience):
		t.Fatal("the backend's work never ended")
	}
	// It has been renewed half-way, and so goes on for some seconds.
	s.send(t, d).wantCode(t, 503, "duplicate_in_flight")
	backend.will(nil)
	eventually(t, "the lease ends", func() bool { return s.send(t, d).Status == 200 })
}

// TestCaddyLeaseIsRenewed: while the backend works the delivery stays claimed,
// past the end of its lease.
func TestCaddyLeaseIsRenewed(t *testing.T) {
	t.Parallel()
	working, finish := make(chan struct{}), make(chan struct{})
	backend := &recorder{answer: func(http.ResponseWriter, *http.Request) { close(working); <-finish }}
	s := siteWith(t, backend, strings.Replace(metaGate, "secret", "replay {\nlease 10s\n}\nsecret", 1))
	d := meta()
	var sender sync.WaitGroup
	sender.Go(func() { s.send(t, d).want(t, 200) })
	<-working
	for start := time.Now(); time.Since(start) < 11*time.Second; time.Sleep(100 * time.Millisecond) {
		s.send(t, d).wantCode(t, 503, "duplicate_in_flight")
	}
	close(finish)
	sender.Wait()
	s.send(t, d).wantDuplicate(t)
	backend.one(t)
}

// TestCaddyFiftyAtOnce: of one delivery that comes 50 times at once exactly one
// reaches the backend.
func TestCaddyFiftyAtOnce(t *testing.T) {
	t.Parallel()
	finish := make(chan struct{})
	backend := &recorder{answer: func(w http.ResponseWriter, _ *http.Request) { <-finish; w.WriteHeader(201) }}
	s := siteWith(t, backend, metaGate)
	d := meta()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 50}}
	answers := make(chan answer, 50)
	for range 50 {
		go func() {
			a, err := s.trySend(context.Background(), client, d)
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}()
	}
	for range 49 {
		a := <-answers
		a.wantCode(t, 503, "duplicate_in_flight")
		if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || n < 1 || n > 30 {
			t.Errorf("Retry-After: %q", a.Header.Get("Retry-After"))
		}
	}
	close(finish)
	a := <-answers
	a.want(t, 201)
	s.send(t, d).wantDuplicate(t)
	backend.one(t)
}

// TestCaddyStoreFull: a store that is full of pending claims refuses, and gives
// up done ones with a warning.
func TestCaddyStoreFull(t *testing.T) {
	t.Parallel()
	working, finish := make(chan struct{}, 9), make(chan struct{})
	backend := &recorder{answer: func(http.ResponseWriter, *http.Request) { working <- struct{}{}; <-finish }}
	s := siteWith(t, backend, strings.Replace(metaGate, "secret", "replay {\nstore memory full {\nmax_claims 1\n}\n}\nsecret", 1))
	first, second := meta(), meta()
	var sender sync.WaitGroup
	sender.Go(func() { s.send(t, first).want(t, 200) })
	<-working
	a := s.send(t, second)
	a.wantCode(t, 503, "replay_store_unavailable")
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if n := s.metric(t, `hookward_replay_errors_total{name="meta",store="memory full"}`); n != 1 {
		t.Errorf("%v errors of the store were counted, want 1", n)
	}
	close(finish)
	sender.Wait()
	s.send(t, second).want(t, 200)
	s.send(t, first).want(t, 200) // its claim was given up for the second's
	s.waitForLog(t, "gives up claims before their window ends")
	if n := len(backend.take()); n != 3 {
		t.Errorf("the backend saw %d requests, want 3", n)
	}
}

// TestCaddyStoreFullAccepts: a provider that does not send again is not turned
// away, and the backend is told.
func TestCaddyStoreFullAccepts(t *testing.T) {
	t.Parallel()
	working, finish := make(chan struct{}, 9), make(chan struct{})
	backend := &recorder{answer: func(http.ResponseWriter, *http.Request) { working <- struct{}{}; <-finish }}
	s := newSite(t, backend)
	s.load(t, "debug", `
		verify_webhook twabot {
			secret {env.SECRET}
			replay {
				store memory full {
					max_claims 1
				}
			}
		}
		reverse_proxy BACKEND`)
	var senders sync.WaitGroup
	for range 2 {
		senders.Go(func() { s.send(t, sign.New("twabot", secret, "", "/")).want(t, 200) })
		<-working
	}
	close(finish)
	senders.Wait()
	var replay []string
	for _, seen := range backend.take() {
		replay = append(replay, seen.Header.Get("X-Hookward-Replay"))
	}
	if strings.Join(replay, ",") != ",unchecked" {
		t.Errorf("X-Hookward-Replay of the two: %q, want none and unchecked", replay)
	}
	s.waitForLog(t, `"name":"store_degraded"`)
}

// TestCaddySettledBeforeTheEnd: a sender that has seen the whole answer and
// sends again at once finds its event done, whatever the answer's framing.
func TestCaddySettledBeforeTheEnd(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("0123456789", 20_000)
	answers := map[string]http.HandlerFunc{
		"empty": status(200),
		"small": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") },
		"large": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(large)))
			_, _ = io.WriteString(w, large)
		},
		"chunked": func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, large)
		},
	}
	backend := &recorder{}
	s := newSite(t, backend)
	for _, proxy := range []string{"BACKEND", "BACKEND {\nflush_interval -1\n}"} {
		s.load(t, "", strings.Replace(metaGate, "BACKEND", proxy, 1))
		for name, answer := range answers {
			backend.will(answer)
			for range 20 {
				d := meta()
				s.send(t, d).want(t, 200)
				if a := s.send(t, d); a.Header.Get("X-Hookward-Duplicate") == "" {
					t.Fatalf("%s answer: sent again at once it got %v", name, a.Status)
				}
			}
		}
	}
}

// TestCaddyStreams: what the backend flushes reaches the sender before the
// answer ends, and a large answer arrives whole.
func TestCaddyStreams(t *testing.T) {
	t.Parallel()
	seen := make(chan struct{})
	large := strings.Repeat("abcdefgh", 1<<20)
	backend := &recorder{answer: func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		<-seen
		_, _ = io.WriteString(w, large)
	}}
	s := siteWith(t, backend, metaGate)
	resp, err := http.DefaultClient.Do(s.request(t.Context(), meta()))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	close(seen)
	rest, err := io.ReadAll(resp.Body)
	if err != nil || string(rest) != large {
		t.Errorf("got %d bytes (%v), want %d", len(rest), err, len(large))
	}
}

// TestCaddyAnswerUnchanged: TwiML and USSD menus pass as the backend wrote
// them, and a duplicate gets the provider's acknowledgement.
func TestCaddyAnswerUnchanged(t *testing.T) {
	t.Parallel()
	const twiML = "<?xml version=\"1.0\"?>\r\n<Response><Message>Bal é: 5</Message></Response>\n"
	backend := &recorder{answer: func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		w.Header().Set("X-Custom", "1")
		_, _ = io.WriteString(w, twiML)
	}}
	s := siteWith(t, backend, `
		verify_webhook /sms twilio {
			secret {env.SECRET}
			public_url https://example.com
		}
		verify_webhook /ussd africastalking {
			secret {env.SECRET}
		}
		reverse_proxy BACKEND`)
	d := sign.New("twilio", secret, "https://example.com", "/sms")
	if a := s.send(t, d); a.Status != 200 || a.Body != twiML || a.Header.Get("Content-Type") != "text/xml; charset=utf-8" || a.Header.Get("X-Custom") != "1" {
		t.Errorf("got %v %v, want the TwiML", a, a.Header)
	}
	a := s.send(t, d)
	a.wantDuplicate(t)
	if a.Body != "<Response/>" || !strings.Contains(a.Header.Get("Content-Type"), "xml") {
		t.Errorf("a duplicate got %v %v, want an empty Response", a, a.Header)
	}
	const menu = "CON Welcome\n1. Balance\n2. Send"
	backend.will(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, menu) })
	ussd := sign.Delivery{Method: "POST", Target: "/ussd", Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body: "sessionId=s1&phoneNumber=%2B254700000000&networkCode=63902&serviceCode=%2A384%23&text="}
	ussd.Sign("africastalking", secret, "")
	for range 2 { // the answer is the product: it is never the gate's
		if a := s.send(t, ussd); a.Status != 200 || a.Body != menu {
			t.Errorf("got %v, want the menu", a)
		}
	}
}

// TestCaddyEveryProvider sends a fresh delivery of each provider, then the same
// again, then one with a bit changed.
func TestCaddyEveryProvider(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, allGates("")+"reverse_proxy BACKEND")
	for _, p := range sign.Providers {
		d := sign.New(p, secret, "https://example.com", "/"+p)
		s.send(t, d).want(t, 200)
		seen := backend.one(t)
		if !strings.Contains(string(seen.Body), `"type":"message.received"`) || seen.Header.Get("X-Hookward-Provider") != p {
			t.Errorf("%s: the backend saw %v %s", p, seen.Header, seen.Body)
		}
		s.send(t, d).wantDuplicate(t)
		for name, values := range d.Header {
			if name != "Content-Type" {
				last := values[0][len(values[0])-2]
				forged := d
				forged.Header = d.Header.Clone()
				forged.Header.Set(name, values[0][:len(values[0])-2]+string(last^1)+values[0][len(values[0])-1:])
				a := s.send(t, forged)
				if a.Status != 401 {
					t.Errorf("%s: a forged %s got %v", p, name, a)
				}
			}
		}
		backend.none(t)
	}
}

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// fullGate is a gate with a store, and the shortest lease that there is.
func fullGate(store string) string {
	return strings.Replace(metaGate, "secret", "replay {\nlease 1s\nstore "+store+"\n}\nsecret", 1)
}

// breaksOff leaves the gate without a whole answer, so that the lease decides.
func breaksOff(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100000")
	_, _ = io.WriteString(w, "half")
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// TestStoreKeptFull: a store with room for three claims gives up what has ended,
// then the oldest of those done, and says so; never one that is pending.
func TestStoreKeptFull(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/claims"
	for label, store := range map[string]string{
		"memory full": "memory full {\nmax_claims 3\n}", "disk " + path: "disk {\npath " + path + "\nmax_claims 3\n}",
	} {
		t.Run(strings.Fields(label)[0], func(t *testing.T) {
			t.Parallel()
			backend := &recorder{}
			s := siteWith(t, backend, fullGate(store))
			evicted := func() float64 { return s.metric(t, fmt.Sprintf("hookward_claims_evicted_total{store=%q}", label)) }
			first, second, third, fourth := meta(), meta(), meta(), meta()

			t.Log("what has ended goes first")
			backend.will(breaksOff)
			_, _ = s.trySend(t.Context(), newClient(), meta())
			backend.will(nil)
			s.send(t, first).want(t, 200)
			s.send(t, second).want(t, 200)
			time.Sleep(1100 * time.Millisecond) // the lease passes
			s.send(t, third).want(t, 200)
			if n := evicted(); n != 0 {
				t.Errorf("%v claims were given up beside one that had ended", n)
			}

			t.Log("then the oldest of those done")
			s.send(t, fourth).want(t, 200)
			s.waitForLog(t, "gives up claims before their window ends")
			for _, d := range []sign.Delivery{second, third, fourth} {
				s.send(t, d).wantDuplicate(t)
			}
			if n := evicted(); n != 1 {
				t.Errorf("%v claims were given up, want 1", n)
			}

			t.Log("never one that is pending")
			backend.take()
			s.fillWithPending(t, backend, evicted)
		})
	}
}

// fillWithPending has three deliveries on their way at once, and what comes then
// refused, until the leases have passed.
func (s *caddySite) fillWithPending(t *testing.T, backend *recorder, evicted func() float64) {
	t.Helper()
	working, finish := make(chan struct{}), make(chan struct{})
	backend.will(func(w http.ResponseWriter, r *http.Request) {
		working <- struct{}{}
		<-finish
		breaksOff(w, r)
	})
	var senders sync.WaitGroup
	for range 3 {
		senders.Go(func() { _, _ = s.trySend(t.Context(), newClient(), meta()) })
		<-working
	}
	before, d := evicted(), meta()
	s.wantNoRoom(t, d)
	close(finish)
	senders.Wait()
	backend.will(nil)
	s.sendUntilTaken(t, d)
	s.send(t, d).wantDuplicate(t)
	if after := evicted(); after != before {
		t.Errorf("%v claims were given up for one that found only pending ones", after-before)
	}
	if n := len(backend.take()); n != 4 {
		t.Errorf("the backend saw %d requests, want 3 and the one that was refused at first", n)
	}
}

func (s *caddySite) wantNoRoom(t *testing.T, d sign.Delivery) {
	t.Helper()
	a := s.send(t, d)
	a.wantCode(t, 503, "replay_store_unavailable")
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

// TestRedisKeptFull: a Redis at its maxmemory refuses claims until something in
// it ends, and settles those that it has.
func TestRedisKeptFull(t *testing.T) {
	t.Parallel()
	working, finish := make(chan struct{}), make(chan struct{})
	backend, redis := &recorder{}, hosts.StartRedis(t)
	s := newSite(t, backend)
	s.load(t, strings.Replace(onRedis(redis.Address), "200ms", "10s", 1), metaGate)
	known, flying, d := meta(), meta(), meta()
	s.send(t, known).want(t, 200)
	backend.will(func(http.ResponseWriter, *http.Request) { working <- struct{}{}; <-finish })
	var sender sync.WaitGroup
	sender.Go(func() { s.send(t, flying).want(t, 200) })
	<-working

	redis.Ask(t, "SET", "ballast", strings.Repeat("x", 8<<20))
	redis.Ask(t, "CONFIG", "SET", "maxmemory", "8mb")
	s.wantNoRoom(t, d)
	s.wantNoRoom(t, known) // Redis refuses before it looks
	close(finish)
	sender.Wait()
	redis.Ask(t, "PEXPIRE", "ballast", "1")
	backend.will(nil)
	s.sendUntilTaken(t, d)
	for _, d := range []sign.Delivery{known, flying, d} {
		s.send(t, d).wantDuplicate(t)
	}
	if n := len(backend.take()); n != 3 {
		t.Errorf("the backend saw %d requests, want 3", n)
	}
}

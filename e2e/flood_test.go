package e2e

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/sign"
)

// flood is many deliveries, each sent several times at random times through
// gates that share their claims, while the test does them harm. A sender
// repeats what was not acknowledged, through whichever gate, as a provider does.
type flood struct {
	gates   []string // addresses
	backend *tally
	gives   time.Duration // what a sender gives an answer before it tries again
	pause   time.Duration // of a sender between two deliveries
	senders sync.WaitGroup

	mu      sync.Mutex
	sent    []sign.Delivery
	order   []int // in which they are sent; nil is on and on, a new one and an old one in turns
	taken   int
	refused int
	ended   bool
}

const (
	floodSenders = 24
	floodPause   = 10 * time.Millisecond
)

// startFlood sends on and on until it is counted.
func startFlood(t *testing.T, backend *tally, gates ...string) *flood {
	f := &flood{gates: gates, backend: backend, gives: patience, pause: floodPause}
	f.start(t)
	return f
}

// startFloodOf sends so many deliveries, each so many times.
func startFloodOf(t *testing.T, backend *tally, deliveries, times int, gates ...string) *flood {
	f := &flood{gates: gates, backend: backend, gives: patience, order: rand.Perm(deliveries * times)}
	for range deliveries {
		f.sent = append(f.sent, meta())
	}
	f.start(t)
	return f
}

func (f *flood) start(t *testing.T) {
	for range floodSenders {
		f.senders.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(f.gates)}}
			defer client.CloseIdleConnections()
			for d, any := f.take(); any && !t.Failed(); d, any = f.take() {
				f.sendUntilTaken(t, client, d)
				time.Sleep(f.pause)
			}
		})
	}
}

// take is the next delivery to be sent.
func (f *flood) take() (d sign.Delivery, any bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken++
	switch {
	case f.order != nil && f.taken > len(f.order), f.ended:
		return d, false
	case f.order != nil:
		return f.sent[f.order[f.taken-1]%len(f.sent)], true
	case f.taken%2 == 1:
		d = meta()
		f.sent = append(f.sent, d)
		return d, true
	default:
		return f.sent[rand.IntN(len(f.sent))], true
	}
}

func (f *flood) sendUntilTaken(t *testing.T, client *http.Client, d sign.Delivery) {
	for !t.Failed() {
		site := caddySite{Address: f.gates[rand.IntN(len(f.gates))]}
		ctx, cancel := context.WithTimeout(t.Context(), f.gives)
		a, err := site.trySend(ctx, client, d)
		cancel()
		if err == nil && a.Status == 200 {
			return
		}
		if err == nil && a.Status != 503 {
			t.Errorf("a delivery was answered %v", a)
		}
		f.mu.Lock()
		f.refused++
		f.mu.Unlock()
		time.Sleep(20 * time.Millisecond)
	}
}

// reaches waits until so many have been taken to be sent.
func (f *flood) reaches(t *testing.T, n int) {
	t.Helper()
	for taken := 0; taken < n && !t.Failed(); time.Sleep(time.Millisecond) {
		f.mu.Lock()
		taken = f.taken
		f.mu.Unlock()
	}
}

// goesOn waits until fifty more have been sent.
func (f *flood) goesOn(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	n := f.taken + 50
	f.mu.Unlock()
	f.reaches(t, n)
}

// end ends a flood without an end, and waits for the senders.
func (f *flood) end() {
	f.mu.Lock()
	f.ended = f.order == nil
	f.mu.Unlock()
	f.senders.Wait()
}

// again ends the flood and sends every delivery once more: where a claim was lost
// with who held it, it passes now, and is known from then on.
func (f *flood) again(t *testing.T) {
	t.Helper()
	f.end()
	client := newClient()
	for _, d := range f.sent {
		f.sendUntilTaken(t, client, d)
	}
}

// count waits for the end and checks that every delivery has reached the
// backend, and no more than so many have twice; none has a third time.
func (f *flood) count(t *testing.T, twiceAtMost int) {
	t.Helper()
	f.end()
	lost, twice, more := 0, 0, 0
	for _, d := range f.sent {
		switch f.backend.times(d) {
		case 0:
			lost++
		case 1:
		case 2:
			twice++
		default:
			more++
		}
	}
	t.Logf("%d deliveries, sent %d times in all: %d lost, %d twice, %d more often; %d answers of 503, or none",
		len(f.sent), f.taken-floodSenders, lost, twice, more, f.refused)
	if lost != 0 || twice > twiceAtMost || more > 0 {
		t.Errorf("want none lost, at most %d twice and none more often", twiceAtMost)
	}
}

// known checks that deliveries are duplicates wherever they come again.
func (f *flood) known(t *testing.T) {
	t.Helper()
	const some = 300
	for i, which := range rand.Perm(len(f.sent))[:min(some, len(f.sent))] {
		site := caddySite{Address: f.gates[i%len(f.gates)]}
		site.sendUntilTaken(t, f.sent[which]).wantDuplicate(t)
	}
}

// times is how often a delivery has come. Its id is half of the SHA-256 over
// what is signed.
func (b *tally) times(d sign.Delivery) int {
	sum := sha256.Sum256([]byte(d.Body))
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count[hex.EncodeToString(sum[:16])]
}

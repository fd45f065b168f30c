package e2e

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/sign"
)

// flood is many deliveries, each sent several times in random order through
// gates that share their claims, while the test does them harm. A sender
// repeats what was not acknowledged, through whichever gate, as a provider does.
type flood struct {
	gates   []string // addresses
	backend *tally

	sent          []sign.Delivery
	order         []int
	next, refused atomic.Int64
	senders       sync.WaitGroup
}

const floodSenders = 24

// startFlood begins to send so many deliveries, each so many times.
func startFlood(t *testing.T, backend *tally, deliveries, times int, gates ...string) *flood {
	f := &flood{gates: gates, backend: backend, order: rand.Perm(deliveries * times)}
	for range deliveries {
		f.sent = append(f.sent, meta())
	}
	for range floodSenders {
		f.senders.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: len(gates)}}
			defer client.CloseIdleConnections()
			for i := f.next.Add(1) - 1; i < int64(len(f.order)) && !t.Failed(); i = f.next.Add(1) - 1 {
				f.sendUntilTaken(t, client, f.sent[f.order[i]%deliveries])
			}
		})
	}
	return f
}

func (f *flood) sendUntilTaken(t *testing.T, client *http.Client, d sign.Delivery) {
	for !t.Failed() {
		site := caddySite{Address: f.gates[rand.IntN(len(f.gates))]}
		a, err := site.trySend(t.Context(), client, d)
		if err == nil && a.Status == 200 {
			return
		}
		if err == nil && a.Status != 503 {
			t.Errorf("a delivery was answered %v", a)
		}
		f.refused.Add(1)
		time.Sleep(20 * time.Millisecond)
	}
}

// part waits until this part of all has been sent.
func (f *flood) part(t *testing.T, part float64) {
	for f.next.Load() < int64(part*float64(len(f.order))) && !t.Failed() {
		time.Sleep(time.Millisecond)
	}
}

// count waits for the end and checks that every delivery has reached the
// backend, and no more than so many have twice; none has a third time.
func (f *flood) count(t *testing.T, twiceAtMost int) {
	t.Helper()
	f.senders.Wait()
	came, once, twice := f.backend.total(), f.backend.timesOver(1), f.backend.timesOver(2)
	lost, more := len(f.sent)-came, came-once-twice
	t.Logf("%d deliveries sent %d times: %d lost, %d twice, %d more often; %d answers of 503, or none",
		len(f.sent), len(f.order)/len(f.sent), lost, twice, more, f.refused.Load())
	if lost != 0 || twice > twiceAtMost || more > 0 {
		t.Errorf("want none lost, at most %d twice and none more often", twiceAtMost)
	}
}

// known checks that every delivery is a duplicate wherever it comes again.
func (f *flood) known(t *testing.T) {
	t.Helper()
	for i, d := range f.sent {
		site := caddySite{Address: f.gates[i%len(f.gates)]}
		site.sendUntilTaken(t, d).wantDuplicate(t)
	}
}

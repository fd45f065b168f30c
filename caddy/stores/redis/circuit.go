package redis

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/zap"

	"github.com/hookward/hookward/core"
)

// circuit stands for a server, or in a Cluster for a sixteenth of the slots,
// which has a server to itself wherever it fails.
//
// A call that gets no answer trips it. While it is open nobody asks the server:
// claims wait for it to close where it has just opened, since most outages are
// short, and later fail at once; what settles claims joins what is owed.
// That is never nothing, for a claim that failed owes its release; so paying it
// is also how to find out that the server answers again. Only when all is paid
// does the circuit close: then no new claim can find a key still pending, or
// free, that had been committed here.
type circuit struct {
	outage atomic.Pointer[outage] // nil while the circuit is closed

	mu     sync.Mutex
	owed   []settlement
	paying bool
}

// outage is the time in which a circuit is open.
type outage struct {
	since time.Time
	over  chan struct{} // closed with the circuit
}

const (
	circuits   = 16
	mostOwed   = 100_000 // for each circuit: far more than requests can be in flight
	payAtOnce  = 100
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
	// patience is how long paying waits, so that connecting has time.
	patience = time.Second
)

func (s *Store) circuit(key core.Key) *circuit {
	c := s.client.Load()
	if c == nil || !c.cluster {
		return &s.circuits[0]
	}
	get := c.B().Get().Key(s.keyName(key)).Build()
	return &s.circuits[int(get.Slot())*circuits>>14]
}

func (s *Store) anyOpen(keys []core.Key) bool {
	return slices.ContainsFunc(keys, func(key core.Key) bool { return s.circuit(key).outage.Load() != nil })
}

// await returns when the circuits of all keys are closed. It waits for those
// that have opened only a moment ago.
func (s *Store) await(ctx context.Context, keys []core.Key) error {
	for _, key := range keys {
		o := s.circuit(key).outage.Load()
		if o == nil {
			continue
		}
		if time.Since(o.since) > patience {
			return errDown
		}
		select {
		case <-o.over:
		case <-ctx.Done():
			return errDown
		}
	}
	return nil
}

func (c *circuit) trip(s *Store, cause error) {
	if c.outage.CompareAndSwap(nil, newOutage()) {
		s.log.Warn("replay store gives no answer: claims are refused until it does", zap.Error(s.explain(cause)))
	}
}

func newOutage() *outage { return &outage{time.Now(), make(chan struct{})} }

// owe keeps a settlement to be carried out as soon as the server answers. The
// error is the cause, and says so.
func (s *Store) owe(x settlement, cause error) error {
	c := s.circuit(x.key)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.owed) >= mostOwed {
		return fmt.Errorf("%w (not kept to be repeated: %d others are)", cause, mostOwed)
	}
	c.owed = append(c.owed, x)
	if !c.paying {
		c.paying = true
		s.work.Go(func() { s.pay(c) })
	}
	if cause == nil {
		return nil
	}
	return fmt.Errorf("%w (kept to be repeated)", cause)
}

// pay carries out what a circuit owes until nothing is left.
func (s *Store) pay(c *circuit) {
	pause, owed := firstPause, 0
	for {
		batch, closed := c.next()
		if batch == nil {
			if closed {
				s.log.Info("replay store answers again", zap.Int("settled_late", owed))
			}
			return
		}
		left := s.payOnce(batch)
		c.paid(len(batch), left)
		if len(left) == 0 {
			owed, pause = owed+len(batch), firstPause
			continue
		}
		c.outage.CompareAndSwap(nil, newOutage())
		if !s.sleep(pause) {
			s.log.Error("replay store closed with claims unsettled: their leases decide", zap.Int("claims", c.owes()))
			return
		}
		pause = min(2*pause, lastPause)
	}
}

// next returns a part of what is owed. If that is nothing the circuit closes if
// it was open.
func (c *circuit) next() (batch []settlement, closed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.owed) == 0 {
		c.owed, c.paying = nil, false
		o := c.outage.Swap(nil)
		if o != nil {
			close(o.over)
		}
		return nil, o != nil
	}
	return slices.Clone(c.owed[:min(len(c.owed), payAtOnce)]), false
}

// paid replaces the first n owed by those of them that are left.
func (c *circuit) paid(n int, left []settlement) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed = slices.Replace(c.owed, 0, n, left...)
}

func (c *circuit) owes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.owed)
}

// payOnce tries each settlement once and returns those that must be repeated.
func (s *Store) payOnce(batch []settlement) (left []settlement) {
	client := s.client.Load()
	if client == nil {
		return batch
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	keys := make([]core.Key, len(batch))
	for i, x := range batch {
		keys[i] = x.key
	}
	answers := s.send(ctx, client, keys, func(i int, c *connected, name string) rueidis.Completed { return batch[i].command(c, name) })
	for i, a := range answers {
		switch err := a.Error(); {
		case a.NonRedisError() != nil || err != nil && passes(err):
			left = append(left, batch[i])
		case err != nil:
			s.log.Error("replay store refuses to settle a claim: its lease decides", zap.Error(s.explain(err)))
		case batch[i].again:
			s.repeat(batch[i])
		}
	}
	return left
}

// repeat owes a settlement once more after a while.
func (s *Store) repeat(x settlement) {
	x.again = false
	s.work.Go(func() {
		if s.sleep(patience) {
			_ = s.owe(x, nil)
		}
	})
}

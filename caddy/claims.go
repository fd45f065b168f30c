package hookward

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/hookward/hookward/core"
)

// claims are what one delivery holds in the replay store until its outcome is
// known.
type claims struct {
	store   *openStore // nil while nothing is held
	token   core.Token
	keys    []core.Key
	renewal renewal
}

// claim asks the store for the check's keys and tells the core the answer. The
// keys that end up held stay so until settle. It does not depend on the
// sender's being there: a sender that leaves is no failure of the store.
func (d *delivery) claim(check *core.Check) *core.Verdict {
	keys := check.Keys()
	var few [8]core.State
	states := few[:0]
	store, err := d.gate.store.acquire()
	if err == nil {
		d.claims.store, d.claims.token = store, newToken()
		states = append(states, make([]core.State, len(keys))...)
		start := time.Now()
		err = store.Claim(context.Background(), d.claims.token, keys, d.gate.gate.Replay().Lease, states)
		d.gate.metrics.storeTook(opClaim, start)
		d.gate.sayEvicted(store, start)
	}
	if err != nil {
		d.storeFailed(opClaim, err)
		clear(states)
	}
	verdict := check.Claimed(states)
	d.free(verdict.Free)
	d.hold(verdict.Hold)
	return verdict
}

// hold keeps the keys claimed until settle.
func (d *delivery) hold(keys []core.Key) {
	c := &d.claims
	if len(keys) == 0 {
		c.done()
		return
	}
	c.keys = keys
}

// keepHeld renews the lease of what is held for as long as the request is in
// flight. From now on the delivery does not change, but for its claims.
func (d *delivery) keepHeld() {
	if c := &d.claims; len(c.keys) > 0 {
		c.renewal.start(d.gate.gate.Replay().Lease/2, d.renew)
	}
}

func (d *delivery) renew() {
	c, start := &d.claims, time.Now()
	d.settled(opRenew, start, c.store.Renew(context.Background(), c.token, c.keys, d.gate.gate.Replay().Lease))
}

// free releases what was claimed for a delivery that is not forwarded now.
func (d *delivery) free(keys []core.Key) {
	if len(keys) == 0 {
		return
	}
	if err := d.claims.store.Release(context.Background(), d.claims.token, keys); err != nil {
		d.storeFailed(opRelease, err)
	}
}

// settle ends the claims as the backend's outcome says; the first call counts.
// It does not depend on the sender's being there: that has nothing to do with
// what the backend did.
func (d *delivery) settle(s core.Settlement) {
	c := &d.claims
	if len(c.keys) == 0 {
		return
	}
	c.renewal.stop()
	start := time.Now()
	switch s {
	case core.Commit:
		d.settled(opCommit, start, c.store.Commit(context.Background(), c.token, c.keys, d.gate.gate.Replay().Window))
	case core.ReleaseClaims:
		d.settled(opRelease, start, c.store.Release(context.Background(), c.token, c.keys))
	}
	c.keys = nil
	c.done()
}

func (d *delivery) settled(op storeOp, start time.Time, err error) {
	d.gate.metrics.storeTook(op, start)
	if err != nil {
		d.storeFailed(op, err)
	}
}

// done lets go of the store.
func (c *claims) done() {
	if c.store != nil {
		c.store.letGo()
		c.store = nil
	}
}

func (d *delivery) storeFailed(op storeOp, err error) {
	g := d.gate
	g.metrics.replayErrors.Inc()
	if _, ok := g.failures.Lets(core.ReplayStoreUnavailable, time.Now()); ok {
		fields := d.fields
		if op == opRenew {
			fields = d.known // the request is in other hands
		}
		g.log.Error("replay store failed", append(fields(), zap.String("store", g.store.label()), zap.String("op", string(op)), zap.Error(err))...)
	}
	g.events.emit("store_degraded", map[string]any{"name": g.gate.Name(), "store": g.store.label(), "op": string(op), "error": err.Error()})
}

// sayEvicted warns, once a minute at most, that a full store has given up
// claims whose window had not ended.
func (g *Gate) sayEvicted(s *openStore, now time.Time) {
	sized, ok := s.OpenStore.(sizedStore)
	if !ok {
		return
	}
	if evicted := sized.Evicted(); evicted != s.evictedSaid.Load() && s.maySay(now) {
		s.evictedSaid.Store(evicted)
		s.log.Warn("replay store is full and gives up claims before their window ends: late retries of those events pass as new; raise max_claims",
			zap.String("store", s.label), zap.Uint64("evicted", evicted), zap.Int("max_claims", sized.Limit()))
	}
}

// renewal renews a lease time and again until it is stopped.
type renewal struct {
	mu      sync.Mutex
	every   time.Duration
	renew   func()
	timer   *time.Timer
	stopped bool
}

func (r *renewal) start(every time.Duration, renew func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.every, r.renew = every, renew
	r.timer = time.AfterFunc(every, r.tick)
}

func (r *renewal) tick() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stopped {
		r.renew()
		r.timer.Reset(r.every)
	}
}

// stop returns when no renewal is under way and none will follow.
func (r *renewal) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	r.timer.Stop()
}

// newToken is random enough that no two claims share one: nobody gains by
// guessing it, since it never leaves the store.
func newToken() (t core.Token) {
	binary.LittleEndian.PutUint64(t[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(t[8:], rand.Uint64())
	return t
}

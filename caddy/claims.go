package hookward

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"github.com/hookward/hookward/core"
)

// claims are what one delivery holds in the replay store until its outcome is
// known.
type claims struct {
	store *openStore // nil while nothing is held
	token core.Token
	keys  []core.Key
	renew *time.Timer
}

// claim asks the store for the check's keys and tells the core the answer. The
// keys that end up held stay so until settle.
func (d *delivery) claim(check *core.Check) *core.Verdict {
	keys := check.Keys()
	var few [8]core.State
	states := few[:0]
	store, err := d.gate.store.acquire()
	if err == nil {
		d.claims.store, d.claims.token = store, newToken()
		states = append(states, make([]core.State, len(keys))...)
		start := time.Now()
		err = store.Claim(d.r.Context(), d.claims.token, keys, d.gate.gate.Replay().Lease, states)
		d.gate.metrics.storeTook("claim", start)
	}
	if err != nil {
		d.storeFailed("claim", err)
		clear(states)
	}
	verdict := check.Claimed(states)
	d.free(verdict.Free)
	d.hold(verdict.Hold)
	return verdict
}

// hold keeps the keys claimed for as long as the request is in flight.
func (d *delivery) hold(keys []core.Key) {
	c := &d.claims
	c.keys = keys
	if len(keys) == 0 {
		c.done()
		return
	}
	lease := d.gate.gate.Replay().Lease
	c.renew = time.AfterFunc(lease/2, func() { d.renewLease(lease) })
}

func (d *delivery) renewLease(lease time.Duration) {
	if err := d.claims.store.Renew(context.Background(), d.claims.token, d.claims.keys, lease); err != nil {
		d.storeFailed("renew", err)
	}
	d.claims.renew.Reset(lease / 2)
}

// free releases what was claimed for a delivery that is not forwarded now.
func (d *delivery) free(keys []core.Key) {
	if len(keys) == 0 {
		return
	}
	if err := d.claims.store.Release(context.Background(), d.claims.token, keys); err != nil {
		d.storeFailed("release", err)
	}
}

// settle ends the claims as the backend's outcome says. It does not depend on
// the sender's being there: that has nothing to do with what the backend did.
func (d *delivery) settle(s core.Settlement) {
	c := &d.claims
	if len(c.keys) == 0 {
		return
	}
	c.renew.Stop()
	var (
		op    string
		err   error
		start = time.Now()
	)
	switch s {
	case core.Commit:
		op, err = "commit", c.store.Commit(context.Background(), c.token, c.keys, d.gate.gate.Replay().Window)
	case core.ReleaseClaims:
		op, err = "release", c.store.Release(context.Background(), c.token, c.keys)
	}
	if op != "" {
		d.gate.metrics.storeTook(op, start)
	}
	if err != nil {
		d.storeFailed(op, err)
	}
	c.keys = nil
	c.done()
}

// done lets go of the store.
func (c *claims) done() {
	if c.store != nil {
		c.store.letGo()
		c.store = nil
	}
}

func (d *delivery) storeFailed(op string, err error) {
	d.gate.metrics.replayErrors.Inc()
	d.gate.sampled.Error("replay store failed", append(d.fields(), zap.String("op", op), zap.Error(err))...)
	d.gate.events.emit("store_degraded", map[string]any{"name": d.gate.gate.Name(), "op": op, "error": err.Error()})
}

// newToken is random enough that no two claims share one: nobody gains by
// guessing it, since it never leaves the store.
func newToken() (t core.Token) {
	binary.LittleEndian.PutUint64(t[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(t[8:], rand.Uint64())
	return t
}

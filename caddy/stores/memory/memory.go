// Package memory keeps claims in the process: bounded, without a goroutine of
// its own, and with no call that does more than a few steps of upkeep.
//
// What a claim costs, and how long a call takes, does not depend on how many
// are held. Claims lie in slabs without pointers, which the garbage collector
// does not read; the table over them grows one bucket at a time; what has ended
// makes room a little with each new claim. Memory once used is kept for later
// claims: it follows the most claims ever held, at most 100 bytes for each once
// there are many. Partly filled chunks add some 100 kB to a sharded store.
package memory

import (
	"context"
	"math"
	"time"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/core"
)

var _ stores.Store = (*Store)(nil)

// Store is a replay store in memory. It never holds more claims than its limit.
//
// When it is full it gives up claims that have ended, then the oldest done ones,
// which are counted by Evicted, and never a pending one. That order is exact in
// a store made for up to 1,024 claims. A larger one is sharded, so that calls
// seldom wait for each other, and there it holds within the shard of the new
// claim first; shards are alike, because keys are hashes.
type Store struct {
	shards []shard
	room   room
	now    func() time.Time
	start  time.Time
}

const (
	exactUpTo  = 1024
	shardCount = 32 // a power of two, at most 256
)

// New returns a store that holds at most maxClaims claims. It measures time on
// the monotonic clock: setting the machine's clock ends no claim early or late.
func New(maxClaims int) *Store {
	return NewWithClock(maxClaims, time.Now)
}

// NewWithClock is New with a clock of the caller's.
func NewWithClock(maxClaims int, now func() time.Time) *Store {
	s := &Store{shards: make([]shard, 1), now: now, start: now()}
	if maxClaims > exactUpTo {
		s.shards = make([]shard, shardCount)
	}
	for i := range s.shards {
		s.shards[i].init(&s.room)
	}
	s.SetLimit(maxClaims)
	return s
}

// Claim implements stores.Store. A key that comes twice in keys is Claimed
// twice. The error is stores.ErrFull or nil.
func (s *Store) Claim(_ context.Context, token core.Token, keys []core.Key, lease time.Duration, states []core.State) error {
	now := s.elapsed()
	for i, key := range keys {
		full := !s.hold(now, key, func(h *shard) bool {
			states[i] = h.claim(now, key, token, until(now, lease))
			return states[i] != core.Unknown
		})
		if full {
			s.release(token, keys)
			clear(states)
			return stores.ErrFull
		}
	}
	return nil
}

// Commit implements stores.Store. A key that lost its lease needs room like a
// new one; where there is none the other keys are committed all the same, and
// the error is stores.ErrFull.
func (s *Store) Commit(_ context.Context, token core.Token, keys []core.Key, window time.Duration) error {
	var err error
	now := s.elapsed()
	for _, key := range keys {
		if !s.hold(now, key, func(h *shard) bool { return h.commit(now, key, token, until(now, window)) }) {
			err = stores.ErrFull
		}
	}
	return err
}

// Release implements stores.Store. The error is always nil.
func (s *Store) Release(_ context.Context, token core.Token, keys []core.Key) error {
	s.release(token, keys)
	return nil
}

// Renew implements stores.Store. The error is always nil.
func (s *Store) Renew(_ context.Context, token core.Token, keys []core.Key, lease time.Duration) error {
	now := s.elapsed()
	for _, key := range keys {
		h := s.shard(key)
		h.mu.Lock()
		h.renew(now, key, token, until(now, lease))
		h.mu.Unlock()
	}
	return nil
}

func (s *Store) release(token core.Token, keys []core.Key) {
	for _, key := range keys {
		h := s.shard(key)
		h.mu.Lock()
		h.release(key, token)
		h.mu.Unlock()
	}
}

// hold tries an attempt to hold key, which fails for lack of room alone, until
// it succeeds or there is nothing left to give up. Two rounds are the rule: one
// claim given up is room for one. More come only if another call was faster, or
// a limit was set below what was pending.
func (s *Store) hold(now int64, key core.Key, attempt func(*shard) bool) bool {
	for {
		h := s.shard(key)
		h.mu.Lock()
		ok := attempt(h)
		h.mu.Unlock()
		if ok || !s.giveUp(now, key) {
			return ok
		}
	}
}

// giveUp frees one claim, in the shard of key if it has one to give.
func (s *Store) giveUp(now int64, key core.Key) bool {
	home := int(key[0])
	for i := range s.shards {
		h := &s.shards[(home+i)%len(s.shards)]
		h.mu.Lock()
		ok := h.giveUp(now)
		h.mu.Unlock()
		if ok {
			return true
		}
	}
	return false
}

func (s *Store) shard(key core.Key) *shard {
	return &s.shards[int(key[0])%len(s.shards)]
}

// elapsed is the store's time, in nanoseconds since it was made.
func (s *Store) elapsed() int64 {
	return int64(s.now().Sub(s.start))
}

// until is when d has passed from now, or the end of time.
func until(now int64, d time.Duration) int64 {
	end := now + int64(d)
	if d > 0 && end < now {
		return math.MaxInt64
	}
	return end
}

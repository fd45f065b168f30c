package memory

import "sync/atomic"

// room counts the claims of all shards against the limit, so that the limit is
// exact however keys fall into shards.
type room struct {
	held    atomic.Int64
	limit   atomic.Int64
	evicted atomic.Uint64
}

// take takes room for one claim, if there is any. It compares and swaps: adding
// first and looking afterwards would refuse others for a moment without cause.
func (r *room) take() bool {
	for {
		held := r.held.Load()
		if held >= r.limit.Load() {
			return false
		}
		if r.held.CompareAndSwap(held, held+1) {
			return true
		}
	}
}

// Len is how many claims the store holds. Those that have ended count until a
// later claim takes their room.
func (s *Store) Len() int { return int(s.room.held.Load()) }

// Limit is how many claims the store may hold.
func (s *Store) Limit() int { return int(s.room.limit.Load()) }

// Evicted is how many done claims have been given up before their window ended,
// since the store was made.
func (s *Store) Evicted() uint64 { return s.room.evicted.Load() }

// SetLimit changes how many claims the store may hold; with less than one it
// refuses all. If it holds more than that it gives them up here, one by one,
// while other calls go on. Pending claims stay, so that Len may be over the
// limit until they are settled.
func (s *Store) SetLimit(maxClaims int) {
	s.room.limit.Store(int64(maxClaims))
	now := s.elapsed()
	s.shrink(func(h *shard) bool { return h.dropEnded(now) })
	s.shrink(func(h *shard) bool { return h.giveUp(now) })
}

// shrink drops claims from each shard in turn, until the store is within its
// limit or no shard has any left to drop.
func (s *Store) shrink(drop func(*shard) bool) {
	for dropped := true; dropped; {
		dropped = false
		for i := range s.shards {
			if s.Len() <= s.Limit() {
				return
			}
			h := &s.shards[i]
			h.mu.Lock()
			dropped = drop(h) || dropped
			h.mu.Unlock()
		}
	}
}

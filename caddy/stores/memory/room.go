package memory

import (
	"sync/atomic"

	"github.com/hookward/hookward/core"
)

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
	for i := 0; s.Len() > s.Limit(); i++ {
		if !s.giveUp(now, core.Key{byte(i)}) { // from each shard in turn
			return
		}
	}
}

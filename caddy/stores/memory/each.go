package memory

import (
	"time"

	"github.com/hookward/hookward/core"
)

// Held is a claim as Each shows it.
type Held struct {
	Key   core.Key
	Token core.Token // of a pending claim
	State core.State // core.Pending or core.Done
	Left  time.Duration
}

// Each calls f for every claim that has not ended. Other calls go on meanwhile:
// what they change may be shown before or after. The done claims of one shard
// come in the order of their commits, so that claims made again in the order
// shown are given up in the same order.
func (s *Store) Each(f func(Held)) {
	var held []Held
	for i := range s.shards {
		held = s.shards[i].held(held[:0], s.elapsed())
		for _, h := range held {
			f(h)
		}
	}
}

// held copies the claims, so that f does not keep the shard's callers waiting.
func (h *shard) held(to []Held, now int64) []Held {
	h.mu.Lock()
	defer h.mu.Unlock()
	add := func(i uint32) {
		c := h.table.slots.at(i)
		if left := h.schedule(c.state).end(c.place) - now; left > 0 {
			to = append(to, Held{c.key, c.token, c.state, time.Duration(left)})
		}
	}
	for i := h.done.oldest(); i != 0; i = h.table.slots.at(i).newer {
		add(i)
	}
	for place := range h.leases.items.len {
		add(h.leases.items.at(place).slot)
	}
	return to
}

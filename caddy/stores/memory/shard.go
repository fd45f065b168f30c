package memory

import (
	"sync"

	"github.com/hookward/hookward/core"
)

// shard keeps the claims of its share of the keys: a table to find them by key,
// pending ones by the end of their lease, done ones by the end of their window
// and by age. Its methods are called with mu held.
type shard struct {
	mu      sync.Mutex
	table   table
	leases  schedule
	windows schedule
	done    queue
	room    *room
}

// sweep is how many ended claims a new one clears away: more than one, so that
// the store shrinks after a rush; few, so that no call pays for the rush.
const sweep = 2

func (h *shard) init(r *room) {
	h.table.init()
	h.leases.slots = &h.table.slots
	h.windows.slots = &h.table.slots
	h.done.slots = &h.table.slots
	h.room = r
}

// claim answers core.Unknown if there is no room.
func (h *shard) claim(now int64, key core.Key, token core.Token, end int64) core.State {
	i := h.table.find(key)
	if h.live(i, now) {
		switch c := h.table.slots.at(i); {
		case c.state == core.Done:
			return core.Done
		case c.token != token:
			return core.Pending
		}
	}
	if !h.put(i, now, key, core.Pending, token, end) {
		return core.Unknown
	}
	return core.Claimed
}

// commit reports false if there is no room.
func (h *shard) commit(now int64, key core.Key, token core.Token, end int64) bool {
	i := h.table.find(key)
	if h.live(i, now) && !h.owned(i, token) {
		return true
	}
	return h.put(i, now, key, core.Done, core.Token{}, end)
}

func (h *shard) renew(now int64, key core.Key, token core.Token, end int64) {
	if i := h.table.find(key); h.live(i, now) && h.owned(i, token) {
		h.put(i, now, key, core.Pending, token, end)
	}
}

func (h *shard) release(key core.Key, token core.Token) {
	if i := h.table.find(key); h.owned(i, token) {
		h.drop(i)
	}
}

// giveUp frees one claim: one that has ended, else the one done longest ago.
func (h *shard) giveUp(now int64) bool {
	if h.dropEnded(now) {
		return true
	}
	i := h.done.oldest()
	if i == 0 {
		return false
	}
	h.drop(i)
	h.room.evicted.Add(1)
	return true
}

func (h *shard) dropEnded(now int64) bool {
	for _, s := range []*schedule{&h.leases, &h.windows} {
		if first, ok := s.first(); ok && first.end <= now {
			h.drop(first.slot)
			return true
		}
	}
	return false
}

// live reports whether slot i holds a claim that has not ended.
func (h *shard) live(i uint32, now int64) bool {
	if i == 0 {
		return false
	}
	c := h.table.slots.at(i)
	return h.schedule(c.state).end(c.place) > now
}

func (h *shard) owned(i uint32, token core.Token) bool {
	if i == 0 {
		return false
	}
	c := h.table.slots.at(i)
	return c.state == core.Pending && c.token == token
}

// put writes a claim over the one in slot i, or into a new slot if i is 0, and
// reports false if there is no room for a new one.
func (h *shard) put(i uint32, now int64, key core.Key, state core.State, token core.Token, end int64) bool {
	if i == 0 {
		for range sweep {
			h.dropEnded(now)
		}
		if !h.room.take() {
			return false
		}
		i = h.table.add(key)
	} else {
		h.unlist(i)
	}
	c := h.table.slots.at(i)
	c.state, c.token = state, token
	h.schedule(state).push(i, end)
	if state == core.Done {
		h.done.push(i)
	}
	return true
}

func (h *shard) drop(i uint32) {
	h.unlist(i)
	h.table.remove(i)
	h.room.held.Add(-1)
}

// unlist takes slot i out of the orders that its state put it in.
func (h *shard) unlist(i uint32) {
	c := h.table.slots.at(i)
	h.schedule(c.state).remove(c.place)
	if c.state == core.Done {
		h.done.remove(i)
	}
}

func (h *shard) schedule(state core.State) *schedule {
	if state == core.Done {
		return &h.windows
	}
	return &h.leases
}

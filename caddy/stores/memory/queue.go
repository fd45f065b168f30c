package memory

// queue orders done claims by when they were committed. It is a ring through
// slot 0, whose newer neighbour is the oldest claim and whose older neighbour
// is the newest.
//
// It is not the schedule of windows: by that, a gate with a short window would
// lose its newest claims to the oldest of a gate with a long one.
type queue struct {
	slots *slab[slot]
}

// oldest returns the slot of the claim done longest ago, or 0.
func (q *queue) oldest() uint32 { return q.slots.at(0).newer }

func (q *queue) push(i uint32) {
	end, c := q.slots.at(0), q.slots.at(i)
	c.older, c.newer = end.older, 0
	q.slots.at(end.older).newer = i
	end.older = i
}

func (q *queue) remove(i uint32) {
	c := q.slots.at(i)
	q.slots.at(c.older).newer = c.newer
	q.slots.at(c.newer).older = c.older
}

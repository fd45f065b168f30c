package disk

import "time"

// clock is the memory's time: that of the operation which is carried out again,
// then the real one. The wall clock is read once, at the start; from there on
// time is measured, so that setting the clock ends no claim early or late.
type clock struct {
	real   func() time.Time
	opened time.Time
	wall   time.Time // of opened, without the monotonic reading
	again  time.Time // of the operation carried out again; zero when all are
}

func newClock(real func() time.Time) *clock {
	opened := real()
	// The memory counts from its making, which no operation may precede.
	return &clock{real: real, opened: opened, wall: opened.Round(0), again: time.UnixMilli(0)}
}

func (c *clock) now() time.Time {
	if !c.again.IsZero() {
		return c.again
	}
	return c.wall.Add(c.real().Sub(c.opened))
}

package httpstore

import (
	"time"

	"github.com/hookward/hookward/core"
)

// Op is what settles a claim, or prolongs it.
type Op uint8

// The operations.
const (
	// Commit makes a key done that is pending under the token, or free since
	// its lease ended.
	Commit Op = iota
	// Release frees a key that is pending under the token.
	Release
	// Renew lets the lease of a key that is pending under the token begin anew.
	Renew
)

func (o Op) letter() string { return [...]string{"c", "r", "n"}[o] }

// String is the operation in logs.
func (o Op) String() string { return [...]string{"commit", "release", "renew"}[o] }

// Settlement is one operation on one key that a token holds.
type Settlement struct {
	Op    Op
	Token core.Token
	Key   core.Key
	Time  time.Duration // the window or the lease
	// Worth is when it is too late: the claim has ended by itself.
	Worth time.Time
	// After is the earliest time to send it.
	After time.Time
	// Again says to repeat it a little later even if it succeeds: a server that
	// was paused may read a claim, on a connection given up, only after the
	// release on another.
	Again bool
	// Owner is the caller's own.
	Owner int
	// Failed says that the owner has been told of a failure.
	Failed bool
}

// Owed is what is still to be settled, and whether the server answers. Of one
// batch at a time the caller tells how it went.
//
// A claim that got no answer opens the circuit: then nobody waits for the
// server, and the batches, perhaps empty ones, find out when it answers again.
// Only when all is settled does the circuit close: then no new claim can find a
// key still pending, or free, that had been committed here.
type Owed struct {
	due   []Settlement
	later []Settlement // not before their time

	sent  int // how many of due are on their way, with busy
	busy  bool
	open  bool
	pause time.Duration
	next  time.Time // the earliest time for another batch
}

const (
	mostOwed   = 50_000 // far more than requests can be in flight in one worker
	mostAtOnce = 200
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
	againAfter = time.Second
)

// Open says that the server does not answer, so that it is not worth asking.
func (o *Owed) Open() bool { return o.open }

// Trip opens the circuit; true says that it was closed.
func (o *Owed) Trip(now time.Time) bool {
	if o.open {
		return false
	}
	o.open, o.pause = true, firstPause
	o.next = now.Add(o.pause)
	return true
}

// Add owes a settlement; false says that there is no room.
func (o *Owed) Add(x Settlement) bool {
	if o.Len() >= mostOwed {
		return false
	}
	if x.After.IsZero() {
		o.due = append(o.due, x)
	} else {
		o.later = append(o.later, x)
	}
	return true
}

// Len is how many settlements are owed.
func (o *Owed) Len() int { return len(o.due) + len(o.later) }

// Busy says that a batch is on its way.
func (o *Owed) Busy() bool { return o.busy }

// Next gives the batch to be sent now, if it is time for one. The circuit is
// tried with an empty one where nothing is owed. Expired are those that are
// sent no more.
func (o *Owed) Next(now time.Time) (batch, expired []Settlement, send bool) {
	if o.busy || now.Before(o.next) {
		return nil, nil, false
	}
	o.ripen(now)
	due := o.due[:0]
	for _, x := range o.due {
		if now.Before(x.Worth) {
			due = append(due, x)
		} else {
			expired = append(expired, x)
		}
	}
	clear(o.due[len(due):])
	o.due = due
	if len(o.due) == 0 && !o.open {
		return nil, expired, false
	}
	o.sent, o.busy = min(len(o.due), mostAtOnce), true
	return o.due[:o.sent], expired, true
}

// ripen makes due what has come of age.
func (o *Owed) ripen(now time.Time) {
	later := o.later[:0]
	for _, x := range o.later {
		if now.Before(x.After) {
			later = append(later, x)
		} else {
			o.due = append(o.due, x)
		}
	}
	clear(o.later[len(later):])
	o.later = later
}

// Settled says that the batch has been carried out; true that the circuit has
// closed.
func (o *Owed) Settled(now time.Time) (closed bool) {
	for _, x := range o.due[:o.sent] {
		if x.Again {
			x.Again, x.After = false, now.Add(againAfter)
			o.later = append(o.later, x)
		}
	}
	rest := append(o.due[:0], o.due[o.sent:]...)
	clear(o.due[len(rest):])
	o.due = rest
	o.sent, o.busy, o.pause, o.next = 0, false, 0, time.Time{}
	if o.open && len(o.due) == 0 {
		o.open, closed = false, true
	}
	return closed
}

// Unsettled says that the batch failed. It is sent again after a pause, which
// grows; told are those whose failure is news.
func (o *Owed) Unsettled(now time.Time) (told []Settlement) {
	for i := range o.due[:o.sent] {
		x := &o.due[i]
		if !x.Failed {
			x.Failed = true
			told = append(told, *x)
		}
	}
	o.sent, o.busy = 0, false
	o.pause = min(max(2*o.pause, firstPause), lastPause)
	o.next = now.Add(o.pause)
	return told
}

// Wait is how long there is nothing to do; false says for ever.
func (o *Owed) Wait(now time.Time) (time.Duration, bool) {
	switch {
	case o.busy:
		return 0, false // the answer comes by itself
	case len(o.due) > 0 || o.open:
		return max(0, o.next.Sub(now)), true
	case len(o.later) > 0:
		first := o.later[0].After
		for _, x := range o.later[1:] {
			if x.After.Before(first) {
				first = x.After
			}
		}
		return max(0, first.Sub(now), o.next.Sub(now)), true
	}
	return 0, false
}

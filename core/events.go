package core

import (
	"slices"
	"strconv"

	"github.com/hookward/hookward/core/provider"
	"github.com/hookward/hookward/core/unified"
)

// fate is what becomes of one event of a delivery.
type fate uint8

// The zero fate leaves an event out.
const (
	leftOut    fate = iota
	forwarded       // without a claim
	claimable       // if the store says so
	answerable      // unless the store says that the same signature opened something else
)

// readEvents maps the authentic body and decides on each event by itself; what
// then needs the store is left to Claimed.
func (c *Check) readEvents(body []byte) *Verdict {
	d := &c.d
	*d = provider.NewDelivery(c.gate.provider.Name, &c.batch, c.room.text[:0])
	d.ReceivedMillis = c.now.UnixMilli()
	if !c.parse(d, body) {
		return c.reject(PayloadInvalid)
	}
	c.gate.provider.Map(d)
	if d.Full() {
		c.note("events", "more than "+strconv.Itoa(unified.MaxEvents)+", or too long")
		return c.reject(PayloadInvalid)
	}
	events := c.batch.Events()
	if len(events) == 0 {
		return c.acknowledge(Empty)
	}
	if v := c.sort(events); v != nil {
		return v
	}
	if c.gate.reportOnly {
		return c.reported()
	}
	if c.gate.replay.Off || len(c.keys) == 0 {
		c.keys = c.keys[:0]
		return c.forward(nil)
	}
	return nil
}

// sort decides what becomes of each event, and gives a verdict where that
// leaves none.
func (c *Check) sort(events []unified.Event) *Verdict {
	s := c.scratch
	var stale *unified.Event
	for i := range events {
		e := &events[i]
		if slices.ContainsFunc(e.Identity[:], isGarbled) {
			e.ID, e.Identity = "", unified.Identity{}
		}
		if e.ID == "" {
			e.ID = c.verdict.Delivery + ":" + strconv.Itoa(i)
		}
		e.Complete(c.gate.provider.Name)
		f := leftOut
		switch {
		case c.isAhead(e):
			c.noteAge(e)
			return c.reject(TimestampOutOfRange)
		case !c.gate.wantsEvent(e.Type):
		case c.isStale(e):
			stale = e
		case e.Unclaimed:
			f = c.answer(e, i)
		default:
			f = c.claimOnce(e, i)
		}
		s.fates = append(s.fates, f)
	}
	for _, f := range s.fates {
		if f != leftOut {
			return nil
		}
	}
	if stale != nil {
		c.noteAge(stale)
		c.note("max_age", inWords(c.gate.maxAge))
		return c.reject(Stale)
	}
	return c.acknowledge(Filtered)
}

// claimOnce leaves out the second of two events of one identity.
func (c *Check) claimOnce(e *unified.Event, index int) fate {
	s, key := c.scratch, c.key(e, index)
	if s.seen(key) {
		return leftOut
	}
	s.keys = append(s.keys, key)
	return claimable
}

// answer passes on an event that is never claimed. A signature over the URL and
// the form fits several splittings: a message's text can be one that reads as
// the parameters of a call, whose sender would hold an instruction that passes
// without end. So the store is asked for the digest, and let go at once: what
// was delivered as something that is claimed is not passed on as this.
func (c *Check) answer(e *unified.Event, index int) fate {
	if c.gate.provider.Auth.Signed != provider.URLAndForm {
		return forwarded
	}
	c.keys = append(c.keys, c.key(e, index))
	return answerable
}

func (c *Check) isStale(e *unified.Event) bool {
	return c.gate.maxAge > 0 && !e.Time.IsZero() && c.now.Sub(e.Time) > c.gate.maxAge
}

// isAhead holds for providers whose events carry a signed time, even where no
// age is too old.
func (c *Check) isAhead(e *unified.Event) bool {
	return (c.gate.provider.Timed || c.gate.maxAge > 0) && e.Time.Sub(c.now) > future
}

package core

import (
	"bytes"

	"github.com/hookward/hookward/core/unified"
)

// acknowledge answers in the way that stops the provider's retries, and
// forwards nothing.
func (c *Check) acknowledge(outcome Outcome) *Verdict {
	if c.gate.reportOnly {
		return c.reported()
	}
	ack := c.gate.provider.Ack
	v := &Verdict{Kind: Answer, Outcome: outcome, Status: 200, Body: []byte(ack.Body)}
	c.describe(v)
	if ack.ContentType != "" {
		v.Header = []Field{{"Content-Type", ack.ContentType}}
	}
	c.close()
	return v
}

func (c *Check) duplicate() *Verdict {
	v := c.acknowledge(Duplicate)
	v.Header = append(v.Header, Field{headerDuplicate, "true"})
	return v
}

// reported is report for an authentic delivery.
func (c *Check) reported() *Verdict {
	v := c.report("")
	c.close()
	return v
}

// marks are the fields that every forwarded request has.
func (c *Check) marks() []Field {
	return append(c.room.set[:0],
		Field{headerVersion, unified.Version},
		Field{headerEndpoint, c.gate.name},
		Field{headerProvider, c.gate.provider.Name})
}

// forward passes on the events that are left, as the gate's output says.
func (c *Check) forward(hold []Key) *Verdict {
	s := c.scratch
	events := s.batch.Events()
	v := &c.verdict
	v.Kind, v.Outcome, v.Hold, v.Types = Forward, Accepted, hold, c.room.types[:0]
	keep := func(i int) bool { return c.gate.original || s.fates[i] != leftOut }
	for i := range events {
		if keep(i) {
			v.Types = append(v.Types, events[i].Type)
		}
	}
	v.Set = append(c.marks(),
		Field{headerDelivery, v.Delivery},
		Field{headerEvent, v.EventWord()},
		Field{headerAssurance, v.Assurance})
	body := c.rawBody
	v.Remove = c.gate.remove
	if !c.gate.original {
		body = c.writeUnified(events, keep)
		v.Rewrite, v.Body, v.Method = true, body, "POST"
		v.Set = append(v.Set, Field{"Content-Type", "application/json"})
		if q := c.gate.provider.Auth.Query; q != "" {
			v.Target, v.hide = withoutQueryParameter(c.head.Target, q), q+"="
		}
	}
	if len(c.gate.signWith) > 0 {
		c.gate.sign(v, c.now, body, events, keep)
	}
	c.close()
	return v
}

// writeUnified writes into memory that is warm, and copies what the host keeps.
func (c *Check) writeUnified(events []unified.Event, keep func(int) bool) []byte {
	s := c.scratch
	s.body = c.gate.writer.Append(s.body[:0], c.verdict.Delivery, c.now, events, keep)
	return bytes.Clone(s.body)
}

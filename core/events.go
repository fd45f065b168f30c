package core

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/hookward/hookward/core/internal/form"
	"github.com/hookward/hookward/core/internal/jsondoc"
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

// scratch is the memory that reading a delivery takes, used again for the next.
type scratch struct {
	doc   jsondoc.Doc
	batch unified.Batch
	d     provider.Delivery
	fates []fate
	keys  []Key // of the claimable events, in their order
	index map[Key]struct{}
	body  []byte // as it is written, before its length is known
}

// seen says that the key is among keys. A few are looked through; a large batch
// gets an index.
func (s *scratch) seen(key Key) bool {
	const few = 16
	if len(s.keys) < few {
		return slices.Contains(s.keys, key)
	}
	if s.index == nil {
		s.index = make(map[Key]struct{}, 4*few)
		for _, k := range s.keys {
			s.index[k] = struct{}{}
		}
	}
	_, seen := s.index[key]
	s.index[key] = struct{}{}
	return seen
}

// close makes the memory ready for the next delivery, unless a huge one has made
// it grow.
func (s *scratch) close() {
	const usualValues, usualEvents, usualBody = 16 << 10, 64, 64 << 10
	s.doc.Shrink(usualValues)
	s.batch.Reset(usualEvents)
	s.d = provider.Delivery{}
	s.fates, s.keys, s.index = s.fates[:0], s.keys[:0], nil
	if cap(s.body) > usualBody {
		s.body = nil
	}
}

// close gives the memory back. The check has its verdict.
func (c *Check) close() {
	if c.scratch != nil {
		c.scratch.close()
		c.gate.scratch.put(c.scratch)
		c.scratch = nil
	}
}

// Keys are the claims to be made before the delivery is forwarded, valid until
// Claimed.
func (c *Check) Keys() []Key {
	if c.scratch == nil {
		return nil
	}
	return c.scratch.keys
}

// readEvents maps the authentic body and decides on each event by itself; what
// then needs the store is left to Claimed.
func (c *Check) readEvents(body []byte) *Verdict {
	c.scratch = c.gate.scratch.get()
	d := &c.scratch.d
	*d = provider.NewDelivery(c.gate.provider.Name, &c.scratch.batch)
	d.ReceivedMillis = c.now.UnixMilli()
	if !c.parse(d, body) {
		return c.reject(PayloadInvalid)
	}
	c.gate.provider.Map(d)
	if d.Full() {
		c.note("events", "more than "+strconv.Itoa(unified.MaxEvents)+", or too long")
		return c.reject(PayloadInvalid)
	}
	events := c.scratch.batch.Events()
	if len(events) == 0 {
		return c.acknowledge(Empty)
	}
	if v := c.sort(events); v != nil {
		return v
	}
	if c.gate.reportOnly {
		return c.reported()
	}
	if c.gate.replay.Off || len(c.scratch.keys) == 0 {
		c.scratch.keys = c.scratch.keys[:0]
		return c.forward(nil)
	}
	return nil
}

// parse reads the body into d. What a signature covers is what is read here:
// the same bytes, but for those that are no UTF-8.
func (c *Check) parse(d *provider.Delivery, body []byte) bool {
	ok := false
	switch text := readOnlyString(body); c.format() {
	case provider.Query:
		_, query, _ := strings.Cut(c.head.Target, "?")
		d.Form, ok = form.Parse(query)
	case provider.Form:
		if d.Form, ok = c.form, c.form != nil; !ok {
			d.Form, ok = form.Parse(text)
		}
	case provider.JSON:
		if !utf8.ValidString(text) {
			text = strings.ToValidUTF8(text, "\uFFFD")
		}
		err := c.scratch.doc.Parse(text)
		d.JSON = c.scratch.doc.Root()
		ok = err == nil && d.JSON.Kind() == jsondoc.Object
	}
	return ok
}

// format is how the delivery is written, "" for what no provider sends.
func (c *Check) format() provider.BodyFormat {
	switch {
	case c.get:
		return provider.Query
	case c.covered != "":
		return c.covered
	case c.gate.provider.Body != provider.ByContentType:
		return c.gate.provider.Body
	case c.isForm():
		return provider.Form
	case c.isJSON():
		return provider.JSON
	default:
		return ""
	}
}

// readOnlyString is body without a copy: it does not change, as Body was
// promised.
func readOnlyString(body []byte) string {
	return unsafe.String(unsafe.SliceData(body), len(body))
}

// isForm says that the body is a form; so is one that does not say what it is.
func (c *Check) isForm() bool {
	t := c.mediaType()
	return t == "" || t == "application/x-www-form-urlencoded"
}

func (c *Check) isJSON() bool {
	t := c.mediaType()
	return t == "application/json" || strings.HasSuffix(t, "+json")
}

func (c *Check) mediaType() string {
	values := c.head.Header.Values("Content-Type")
	if len(values) == 0 {
		return ""
	}
	t, _, _ := strings.Cut(values[0], ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// sort decides what becomes of each event, and gives a verdict where that
// leaves none.
func (c *Check) sort(events []unified.Event) *Verdict {
	s := c.scratch
	stale := false
	for i := range events {
		e := &events[i]
		if slices.ContainsFunc(e.Identity[:], isGarbled) {
			e.ID, e.Identity = "", unified.Identity{}
		}
		if e.ID == "" {
			e.ID = c.delivery + ":" + strconv.Itoa(i)
		}
		e.Complete(c.gate.provider.Name)
		f := leftOut
		switch {
		case c.isAhead(e):
			return c.reject(TimestampOutOfRange)
		case !c.gate.wantsEvent(e.Type):
		case c.isStale(e):
			stale = true
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
	if stale {
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
	c.scratch.keys = append(c.scratch.keys, c.key(e, index))
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

// Claimed says what to forward now that the store has answered for each of
// Keys, or failed to: then states is nil.
func (c *Check) Claimed(states []State) *Verdict {
	s := c.scratch
	if s == nil { // the host is out of step: there is no delivery to forward
		return c.reject(HostMisconfigured)
	}
	hold, free := c.room.hold[:0], []Key(nil)
	var pending, unknown, fresh bool
	next := 0
	for i, f := range s.fates {
		if f != claimable && f != answerable {
			fresh = fresh || f == forwarded
			continue
		}
		state := Unknown
		if next < len(states) {
			state = states[next]
		}
		switch {
		case state == Claimed && f == answerable:
			free, fresh = append(free, s.keys[next]), true
		case state == Claimed:
			hold, fresh = append(hold, s.keys[next]), true
		case state == Done:
			s.fates[i] = leftOut
		case state == Pending && f == answerable:
			fresh = true // a call may ask the same twice: each is to be answered
		case state == Pending:
			pending = true
		default:
			unknown, fresh = unknown || f == claimable, true
		}
		next++
	}
	switch {
	case pending:
		return c.refuse(DuplicateInFlight, append(hold, free...))
	case unknown && !c.gate.replay.Accept:
		return c.refuse(ReplayStoreUnavailable, append(hold, free...))
	case !fresh:
		return c.duplicate()
	}
	v := c.forward(hold)
	v.Free = free
	if unknown {
		v.Unchecked = true
		v.Set = append(v.Set, Field{headerReplay, "unchecked"})
	}
	return v
}

// refuse rejects and frees what had been claimed.
func (c *Check) refuse(code Code, claimed []Key) *Verdict {
	v := c.reject(code)
	v.Free = claimed
	return v
}

// acknowledge answers in the way that stops the provider's retries, and
// forwards nothing.
func (c *Check) acknowledge(outcome Outcome) *Verdict {
	if c.gate.reportOnly {
		return c.reported()
	}
	ack := c.gate.provider.Ack
	v := &Verdict{
		Kind: Answer, Outcome: outcome, Status: 200, Body: []byte(ack.Body),
		Delivery: c.delivery, Assurance: c.assurance, Secret: c.secret,
	}
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
	v := &c.room.verdict
	v.Kind, v.Outcome, v.Hold, v.Types = Forward, Accepted, hold, c.room.types[:0]
	v.Delivery, v.Assurance, v.Secret = c.delivery, c.assurance, c.secret
	keep := func(i int) bool { return c.gate.original || s.fates[i] != leftOut }
	for i := range events {
		if keep(i) {
			v.Types = append(v.Types, events[i].Type)
		}
	}
	v.Set = append(c.marks(),
		Field{headerDelivery, c.delivery},
		Field{headerEvent, v.EventWord()},
		Field{headerAssurance, c.assurance})
	body := c.rawBody
	if c.gate.original {
		v.Remove = hopByHop
	} else {
		body = c.writeUnified(events, keep)
		v.Rewrite, v.Body, v.Method = true, body, "POST"
		v.Remove = c.gate.remove
		v.Set = append(v.Set, Field{"Content-Type", "application/json"})
		if q := c.gate.provider.Auth.Query; q != "" {
			v.Target = withoutQueryParameter(c.head.Target, q)
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
	s.body = c.gate.writer.Append(s.body[:0], c.delivery, c.now.Truncate(time.Millisecond), events, keep)
	return bytes.Clone(s.body)
}

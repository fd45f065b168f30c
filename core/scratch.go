package core

import (
	"slices"
	"time"

	"github.com/hookward/hookward/core/internal/form"
	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/provider"
	"github.com/hookward/hookward/core/unified"
)

// scratch is the memory that a check takes until there is a verdict, used again
// for the next.
type scratch struct {
	request
	signatureRoom [2]signature
	sum           [sha256Size]byte

	doc   jsondoc.Doc
	batch unified.Batch
	d     provider.Delivery
	fates []fate
	keys  []Key // of the claimable events, in their order
	index map[Key]struct{}
	body  []byte // as it is written, before its length is known
}

// request is what is known of one request.
type request struct {
	now        time.Time
	head       Head
	get        bool        // a delivery by GET: its parameters stand in the query
	signatures []signature // from the head
	token      string      // as it came
	rawBody    []byte
	signed     []byte              // what the signature covers
	covered    provider.BodyFormat // as what it covers the body, where that depends
	form       form.Form           // read already, where a form is signed
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
	s.request = request{}
	s.doc.Shrink(usualValues)
	s.batch.Reset(usualEvents)
	s.d = provider.Delivery{}
	s.fates, s.keys, s.index = s.fates[:0], s.keys[:0], nil
	if cap(s.body) > usualBody {
		s.body = nil
	}
}

// close gives the memory back: the check has its verdict.
func (c *Check) close() {
	if c.scratch != nil {
		c.scratch.close()
		c.gate.scratch.put(c.scratch)
		c.scratch = nil
	}
}

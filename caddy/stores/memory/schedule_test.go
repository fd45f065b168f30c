package memory

import (
	"math/rand/v2"
	"testing"
)

// Whatever comes and goes, every item ends no earlier than its parent, and every
// slot knows the place of its item.
func TestScheduleOrder(t *testing.T) {
	var slots slab[slot]
	s := schedule{slots: &slots}
	r := rand.New(rand.NewPCG(3, 4))
	for step := range 20_000 {
		if n := s.items.len; n > 0 && (n > 400 || r.IntN(2) == 0) {
			s.remove(r.Uint32N(n))
		} else {
			s.push(slots.grow(), r.Int64N(1000))
		}
		for place := range s.items.len {
			if place > 0 && s.end(place) < s.end(parent(place)) {
				t.Fatalf("step %d: the item at %d ends before its parent", step, place)
			}
			if got := slots.at(s.items.at(place).slot).place; got != place {
				t.Fatalf("step %d: slot at %d says it is at %d", step, place, got)
			}
		}
	}
}

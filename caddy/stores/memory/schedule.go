package memory

// schedule orders claims by their end: a heap in which every node has four
// children, which halves the depth of a binary one. Ends may come in any order
// and from any number of different leases and windows; in the usual case, where
// the new claim ends last, push takes one step.
type schedule struct {
	items slab[item]
	slots *slab[slot] // told of every move, in place
}

type item struct {
	end  int64
	slot uint32
}

const children = 4

// first returns the item that ends first.
func (s *schedule) first() (item, bool) {
	if s.items.len == 0 {
		return item{}, false
	}
	return *s.items.at(0), true
}

func (s *schedule) end(place uint32) int64 { return s.items.at(place).end }

func (s *schedule) push(slot uint32, end int64) {
	s.up(s.items.grow(), item{end, slot})
}

// remove takes the item at place out and puts the last one where it was.
func (s *schedule) remove(place uint32) {
	last := *s.items.at(s.items.len - 1)
	s.items.shrink()
	switch {
	case place == s.items.len:
	case place > 0 && last.end < s.end(parent(place)):
		s.up(place, last)
	default:
		s.down(place, last)
	}
}

func (s *schedule) up(place uint32, it item) {
	for place > 0 {
		above := *s.items.at(parent(place))
		if above.end <= it.end {
			break
		}
		s.set(place, above)
		place = parent(place)
	}
	s.set(place, it)
}

func (s *schedule) down(place uint32, it item) {
	for place*children+1 < s.items.len {
		least := s.leastChild(place)
		below := *s.items.at(least)
		if below.end >= it.end {
			break
		}
		s.set(place, below)
		place = least
	}
	s.set(place, it)
}

// leastChild returns which child of place, which has one, ends first.
func (s *schedule) leastChild(place uint32) uint32 {
	least := place*children + 1
	for c := least + 1; c <= place*children+children && c < s.items.len; c++ {
		if s.end(c) < s.end(least) {
			least = c
		}
	}
	return least
}

func (s *schedule) set(place uint32, it item) {
	*s.items.at(place) = it
	s.slots.at(it.slot).place = place
}

func parent(place uint32) uint32 { return (place - 1) / children }

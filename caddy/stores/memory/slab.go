package memory

// slab is an array that grows and never moves. T must have no pointers: then
// the garbage collector reads only the list of chunks.
type slab[T any] struct {
	chunks []*[chunk]T
	len    uint32
}

// chunk is small so that an almost empty shard costs little. The list of chunks
// is what still gets copied as it grows: a quarter of a byte for each element.
const chunk = 32

func (s *slab[T]) at(i uint32) *T { return &s.chunks[i/chunk][i%chunk] }

// grow adds an element at the end, with whatever it held before shrink, and
// returns its number.
func (s *slab[T]) grow() uint32 {
	i := s.len
	if int(i/chunk) == len(s.chunks) {
		s.chunks = append(s.chunks, new([chunk]T))
	}
	s.len++
	return i
}

// shrink takes the last element off and keeps its memory.
func (s *slab[T]) shrink() { s.len-- }

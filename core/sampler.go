package core

import (
	"sync"
	"time"
)

// Sampler keeps a flood of rejections from becoming a flood of log lines: of each
// second it lets the first 20 of every code through, and then one in a hundred.
// One code's flood does not hide another's single line. It may be used
// concurrently.
type Sampler struct {
	mu     sync.Mutex
	second int64
	counts map[Code]int
	hidden map[Code]int
}

const (
	sampleFirst = 20
	sampleThen  = 100
)

// Lets says whether a rejection with this code is to be logged, and if it is, how
// many with this code were not since the last that was.
func (s *Sampler) Lets(code Code, now time.Time) (hidden int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts, s.hidden = map[Code]int{}, map[Code]int{}
	}
	if second := now.Unix(); second != s.second {
		s.second = second
		clear(s.counts)
	}
	s.counts[code]++
	if n := s.counts[code]; n > sampleFirst && (n-sampleFirst)%sampleThen != 0 {
		s.hidden[code]++
		return 0, false
	}
	hidden = s.hidden[code]
	delete(s.hidden, code)
	return hidden, true
}

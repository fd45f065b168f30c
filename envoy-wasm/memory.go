package main

import "github.com/hookward/hookward/core"

// memory is used for one request after the other.
type memory struct {
	fields    fieldLists
	rewritten [][2]string
	states    []core.State
}

func (m *memory) statesFor(keys []core.Key) []core.State {
	if len(keys) > cap(m.states) {
		m.states = make([]core.State, len(keys))
	}
	states := m.states[:len(keys)]
	clear(states)
	return states
}

// fieldLists are lists that no request holds.
type fieldLists [][][2]string

func (l *fieldLists) get() [][2]string {
	n := len(*l)
	if n == 0 {
		return nil
	}
	list := (*l)[n-1]
	*l = (*l)[:n-1]
	return list
}

func (l *fieldLists) put(list [][2]string) {
	const most, usual = 64, 128
	if len(*l) < most && cap(list) <= usual {
		clear(list)
		*l = append(*l, list[:0])
	}
}

// pass lets the request go. Nobody looks at its header any more.
func (s *stream) pass() {
	s.plugin.memory.fields.put(s.fields)
	s.stage, s.fields = passing, nil
}

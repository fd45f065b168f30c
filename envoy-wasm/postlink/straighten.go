package main

import "slices"

// goFunction is the type of Go's own functions: the place to begin at goes in, and
// whether goroutines are to be switched comes out.
const (
	goFunction     = 0
	goFunctionType = "\x60\x01\x7f\x01\x7f"
)

// straighten gives functions a body with blocks and loops in place of the table.
// Where a function may be entered in the middle the one with the table stays
// beside it, which takes room: that is done for hot functions alone.
func straighten(m *module, hot func(name string) bool) {
	functions := make([]*dispatch, len(m.bodies))
	for i, body := range m.bodies {
		if m.types[i] != goFunction {
			continue
		}
		m.bodies[i] = fold(body)
		if d, ok := readDispatch(m.bodies[i]); ok {
			functions[i] = &d
		}
	}
	endless := findEndless(m, functions)
	steady := findSteady(endless)
	m.moved = map[int]int{}
	for i, name := range m.names {
		if hot(name) {
			m.move(i)
		}
	}
	for i, d := range functions {
		locals, code := readLocals(m.bodies[i])
		kept, before := nothing, []byte(nil)
		if d != nil {
			straight, ok := structured(endless.end(*d))
			_, hot := m.moved[m.imported+i]
			switch {
			case ok && !steady.isResumed(i):
				code = straight
			case ok && hot:
				kept = m.body(locals, nil, endless.trim(code))
				before = enterInTheMiddle(m.imported + i)
				code = straight
			default:
				code = endless.trim(code)
			}
		}
		m.bodies[i] = kept
		m.bodies[m.at(m.imported+i)-m.imported] = m.body(locals, before, code)
	}
}

// body is a function's.
func (m *module) body(locals, before, code []byte) []byte {
	return slices.Concat(locals, before, m.callMoved(code))
}

// nothing is the body of a function that nobody calls.
var nothing = []byte{0, opUnreachable, opEnd}

// enterInTheMiddle calls the body with the table if that is where to begin.
func enterInTheMiddle(table int) (code []byte) {
	for _, in := range []instruction{of(opLocalGet, 0), of(opIf, noResult), of(opLocalGet, 0), of(opCall, table), of(opReturn), of(opEnd)} {
		code = append(code, in.bytes...)
	}
	return code
}

package main

// goFunction is the type of Go's own functions: the place to begin at goes in, and
// whether goroutines are to be switched comes out.
const goFunction = 0

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
	for i, d := range functions {
		if d == nil {
			continue
		}
		straight, ok := structured(endless.end(*d))
		trimmed := endless.trim(m.bodies[i])
		switch {
		case ok && !steady.isResumed(i):
			m.bodies[i] = append(d.locals[:len(d.locals):len(d.locals)], straight...)
		case ok && hot(m.names[i]):
			body := append([]byte{}, d.locals...)
			for _, in := range []instruction{of(opLocalGet, 0), of(opIf, noResult), of(opLocalGet, 0), of(opCall, m.add(goFunction, trimmed)), of(opReturn), of(opEnd)} {
				body = append(body, in.bytes...)
			}
			m.bodies[i] = append(body, straight...)
		default:
			m.bodies[i] = trimmed
		}
	}
}

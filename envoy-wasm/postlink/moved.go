package main

import "encoding/binary"

// Hot functions lie side by side at the end of the module, and so does the code
// that V8 makes of them: a request runs through fewer pages, for whose addresses
// the processor has little room. Who calls a function that has moved
// calls it at its new place; at the old one stays what is not hot of it.

// move gives a function its new place.
func (m *module) move(i int) {
	m.moved[m.imported+i] = m.add(m.types[i], nil)
}

// at is where a function is.
func (m *module) at(function int) int {
	if place, ok := m.moved[function]; ok {
		return place
	}
	return function
}

// callMoved is code that calls functions where they are.
func (m *module) callMoved(code []byte) (out []byte) {
	for _, in := range instructions(code) {
		if in.op == opCall {
			in = of(opCall, m.at(in.n))
		}
		out = append(out, in.bytes...)
	}
	return out
}

func (m *module) movedExports(r reader) []byte {
	n := r.number()
	out := binary.AppendUvarint(nil, uint64(n))
	for range n {
		out = appendBytes(out, r.bytes()) // its name
		kind, place := r.byte(), r.number()
		if kind == functionExport {
			place = m.at(place)
		}
		out = binary.AppendUvarint(append(out, kind), uint64(place))
	}
	return out
}

// movedElements is the table by which functions are called through a pointer:
// Go's linker writes one run of them.
func (m *module) movedElements(r reader) []byte {
	start := r
	if r.number() != 1 || r.number() != 0 || r.next().op != opI32Const || r.next().op != opEnd {
		panic("its table is not one run of functions")
	}
	n := len(start) - len(r)
	out := append([]byte{}, start[:n]...)
	count := r.number()
	out = binary.AppendUvarint(out, uint64(count))
	for range count {
		out = binary.AppendUvarint(out, uint64(m.at(r.number())))
	}
	return out
}

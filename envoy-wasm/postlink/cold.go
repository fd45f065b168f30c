package main

import (
	"bytes"
	"fmt"
	"slices"
)

// cold are the functions that are called everywhere and run nowhere. Both are
// small, and V8, which compiles all of a module before Envoy serves and knows
// nothing of what is run how often, would put copies of them everywhere: twice
// the machine code, for which it takes half as long again.
var cold = []string{"runtime.morestack", "runtime.morestack_noctxt", "runtime.sigpanic"}

// tooLarge is a body that V8 does not inline: it stops at 500 bytes.
const tooLarge = 1200

// enlarge makes the cold functions too large to be inlined, by instructions that
// do nothing where none is reached.
func enlarge(m *module) error {
	for _, name := range cold {
		place := slices.Index(m.names, name)
		if place < 0 {
			return fmt.Errorf("it has no function %s", name)
		}
		body := &m.bodies[m.at(m.imported+place)-m.imported]
		fill := max(tooLarge-len(*body), 0)
		last := len(*body) - 1 // end
		*body = append(append((*body)[:last:last], bytes.Repeat([]byte{opNop}, fill)...), opEnd)
	}
	return nil
}

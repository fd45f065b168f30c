package main

import (
	"regexp"
	"slices"
)

// A function is entered in the middle when a function that it has called had
// goroutines switched. Where that can't be, it needs no table.

// steady says of each function that it never has goroutines switched and
// returns afterwards: it does not grow the stack, which is where Go does that, and
// calls no function that may.
type steady struct {
	endless *endless
	known   []bool
	calls   [][]step // of each function, as far as it is of Go's
	defers  []bool   // a panic that is recovered leads into it, to where it runs what it has deferred
}

func findSteady(e *endless) *steady {
	n := len(e.functions)
	s := &steady{endless: e, known: make([]bool, n), calls: make([][]step, n), defers: make([]bool, n)}
	for i := range s.calls {
		if e.module.types[i] == goFunction {
			s.calls[i] = callsIn(e.codeOf(i))
			s.defers[i] = e.module.runsDeferred(i)
		}
	}
	for changed := true; changed; {
		changed = false
		for i := range s.known {
			if !s.known[i] && e.module.types[i] == goFunction && !e.known[i] && !s.growsStack(i) && !s.isResumed(i) {
				s.known[i], changed = true, true
			}
		}
	}
	return s
}

// deferReturn is where a function runs what it has deferred.
const deferReturn = "runtime.deferreturn"

// runsDeferred looks at all code of a function: to where it runs what it has
// deferred there may be no way from its beginning.
func (m *module) runsDeferred(i int) bool {
	_, body := readLocals(m.bodies[i])
	return slices.ContainsFunc(callsIn(stepsOf(body)), func(call step) bool {
		return call.op == opCall && call.n >= m.imported && m.names[call.n-m.imported] == deferReturn
	})
}

// codeOf is all code of a function that can be reached from its beginning.
func (e *endless) codeOf(i int) (code []step) {
	d := e.functions[i]
	if d == nil {
		_, body := readLocals(e.module.bodies[i])
		return stepsOf(body)
	}
	ended := e.end(*d)
	for _, node := range orderOf(ended.segments).order {
		code = append(code, ended.segments[node].code...)
	}
	return code
}

func callsIn(code []step) (calls []step) {
	for _, at := range code {
		if at.op == opCall || at.op == opCallIndirect {
			calls = append(calls, at)
		}
	}
	return calls
}

// isResumed says that a function may be entered again after a call. That after a
// call that never returns it is not, though goroutines are switched, is known of
// panics alone; and what has grown the stack begins anew.
func (s *steady) isResumed(i int) bool {
	if s.defers[i] {
		return true
	}
	m := s.endless.module
	for _, call := range s.calls[i] {
		if call.op == opCallIndirect {
			return true
		}
		callee := call.n - m.imported
		if callee < 0 || m.types[callee] != goFunction || s.known[callee] || isMoreStack(m.names[callee]) {
			continue
		}
		if !s.endless.known[callee] || !panics.MatchString(m.names[callee]) {
			return true
		}
	}
	return false
}

var panics = regexp.MustCompile(`^runtime\.(sigpanic|gopanic|throw|fatal|panic\w*|goPanic\w*)$`)

func isMoreStack(name string) bool {
	return name == "runtime.morestack" || name == "runtime.morestack_noctxt"
}

// growsStack says that a function begins by asking for room on the stack.
func (s *steady) growsStack(i int) bool {
	m := s.endless.module
	return slices.ContainsFunc(s.calls[i], func(call step) bool {
		return call.op == opCall && call.n >= m.imported && isMoreStack(m.names[call.n-m.imported])
	})
}

package main

import "slices"

// Go's compiler does not tell calls that never return from others: after each it
// writes what is to be done when it has returned, and lets what follows begin
// there. So panics seem to lead on into what stands behind them, and V8 keeps
// registers for it. Here such calls end their segment.

// endless says of each function that it never returns in the normal way: it
// throws, or switches to another goroutine. What calls nothing but such
// functions on every way is one itself.
type endless struct {
	module    *module
	functions []*dispatch // nil for those without a table
	known     []bool
}

func findEndless(m *module, functions []*dispatch) *endless {
	e := &endless{m, functions, make([]bool, len(functions))}
	for changed := true; changed; {
		changed = false
		for i := range e.known {
			if !e.known[i] && m.types[i] == goFunction && !e.returns(i) {
				e.known[i], changed = true, true
			}
		}
	}
	return e
}

func (e *endless) is(function int) bool {
	i := function - e.module.imported
	return i >= 0 && i < len(e.known) && e.known[i]
}

// returns says that a function may return, as far as is known by now.
func (e *endless) returns(i int) bool {
	d := e.functions[i]
	if d == nil {
		_, body := readLocals(e.module.bodies[i])
		code := stepsOf(body)
		last := code[max(len(code)-2, 0)] // before its end
		ends := last.op == opUnreachable || last.op == opI32Const && last.n != 0
		return !ends || e.codeReturns(code)
	}
	ended := e.end(*d)
	return slices.ContainsFunc(orderOf(ended.segments).order, func(node int) bool {
		return e.codeReturns(ended.segments[node].code)
	})
}

func stepsOf(body reader) (code []step) {
	for _, in := range instructions(body) {
		code = append(code, step{instruction: in})
	}
	return code
}

// codeReturns looks for a normal return: of 0, or of what a function answers
// that may itself return.
func (e *endless) codeReturns(code []step) bool {
	for i, s := range code {
		if s.op != opReturn {
			continue
		}
		if i == 0 {
			return true
		}
		if i >= 3 && reloads(code[i-2:]) {
			i -= 2 // what a function returns that is called last
		}
		switch before := code[i-1]; {
		case before.op == opI32Const && before.n != 0, before.op == opCall && e.is(before.n):
		default:
			return true
		}
	}
	return false
}

// end lets calls that never return end their segments, and the ifs that they
// stand in.
func (e *endless) end(d dispatch) dispatch {
	segments := make([]segment, len(d.segments))
	for i, s := range d.segments {
		segments[i] = e.endSegment(s)
	}
	d.segments = segments
	return d
}

func (e *endless) endSegment(s segment) segment {
	out := segment{ends: s.ends}
	depth, always := 0, false // always entered is the if that stands outermost
	for i := 0; i < len(s.code); i++ {
		at := s.code[i]
		out.code = append(out.code, at)
		switch {
		case at.kind == jump:
			out.jumps = append(out.jumps, at.target)
		case at.op == opBlock || at.op == opLoop || at.op == opIf:
			if depth++; depth == 1 {
				always = at.op == opIf && i >= 2 && isNil(s.code[i-2:i])
			}
		case at.op == opEnd:
			depth--
		case at.op == opCall && e.is(at.n) && resumes(s.code[i+1:]):
			const after = 3 // instructions, which resume
			if depth > 0 && s.code[i+1+after].op != opEnd {
				continue
			}
			out.code = append(out.code, step{instruction: of(opReturn)})
			if i += after; depth == 0 {
				out.ends = true
				return out
			}
			if depth == 1 && always {
				out.code = append(out.code, step{instruction: of(opEnd)}, step{instruction: of(opUnreachable)})
				out.ends = true
				return out
			}
		}
	}
	return out
}

// isNil is the condition that Go's compiler writes for *(*int)(nil), with which
// the runtime ends functions.
func isNil(code []step) bool {
	return code[0].op == opI64Const && code[0].n == 0 && code[1].op == opI64Eqz
}

// resumes says that code is what follows a call: the stack pointer is read
// again, and the function left if goroutines are to be switched.
func resumes(code []step) bool {
	return len(code) >= 3 && reloads(code) && code[2].op == opBrIf
}

func reloads(code []step) bool {
	return code[0].op == opGlobalGet && code[0].n == 0 && code[1].op == opLocalSet && code[1].n == stackPointer
}

// trim leaves out of code that keeps its table what stands behind calls that
// never return.
func (e *endless) trim(body []byte) (out []byte) {
	code := stepsOf(body)
	for i := 0; i < len(code); i++ {
		out = append(out, code[i].bytes...)
		if code[i].op == opCall && e.is(code[i].n) && resumes(code[i+1:]) {
			out = append(out, opReturn)
			i += 3
		}
	}
	return out
}

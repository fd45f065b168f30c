package main

// Go's compiler knows jumps, wasm has none. So a function of Go's is one loop
// around a table: every jump writes the number of the place that it goes to
// into a local variable and goes back to the loop's head, where the table leads
// to that place. The same number, as a parameter, is how a function that was
// left in the middle to switch goroutines is entered again.
//
//	block            left where a call says that goroutines are to be switched
//	  loop
//	    block block … local.get 0, br_table, end
//	      first segment
//	    end
//	      second segment
//	    …
//	  end
//	  unreachable
//	end
//	i32.const 1

// dispatch is a function as Go's compiler writes it. Segments are what stands
// between two places that can be gone to.
type dispatch struct {
	locals   []byte // their declarations
	segments []segment
}

// segment is a run of instructions, with ifs and loops of its own, and jumps at
// any depth. It falls through to the next one unless ends is set.
type segment struct {
	code  []step
	jumps []int // segments
	ends  bool
}

// step is an instruction, or what Go's compiler makes of a jump.
type step struct {
	instruction
	kind   stepKind
	target int // of a jump: a segment
}

type stepKind uint8

const (
	plain  stepKind = iota
	jump            // to a segment
	unwind          // br_if: leave the function if the call before says so
)

// readDispatch reads a function's body. It answers false for one without a
// table, such as those of the runtime that are written by hand.
func readDispatch(body reader) (d dispatch, ok bool) {
	d.locals, body = readLocals(body)
	in := body.next()
	var before []byte
	for ; in.op == opGlobalGet || in.op == opLocalSet; in = body.next() {
		before = append(before, in.bytes...)
	}
	var around []byte // the blocks and the loop
	for ; in.op == opBlock || in.op == opLoop; in = body.next() {
		around = append(around, in.op)
	}
	if in.op != opLocalGet || in.n != 0 || len(around) == 0 {
		return d, false
	}
	if in = body.next(); in.op != opBrTable {
		return d, false
	}
	places := in.more // segments, by the numbers that jumps write
	count := places[len(places)-1] + 1
	if len(around) < count || body.next().op != opEnd {
		return d, false
	}
	r := segmentReader{body: body, places: places, outer: around[:len(around)-count]}
	for left := count - 1; left >= 0; left-- {
		d.segments = append(d.segments, r.next(left))
	}
	if want, known := behind[string(r.outer)]; !known || string(r.body) != want || string(before) != prologue {
		panic("a function does not begin and end as Go's do")
	}
	return d, true
}

// prologue is what Go's functions begin with: the stack pointer becomes a local.
const prologue = "\x23\x00\x21\x01"

// behind is what follows the segments, by what stands around them.
var behind = map[string]string{
	"":         "",
	"\x02":     "\x41\x01\x0b",
	"\x03":     "\x00\x0b",
	"\x02\x03": "\x00\x0b\x41\x01\x0b",
}

func readLocals(body reader) (locals []byte, rest reader) {
	start := body
	for range body.number() {
		body.number() // how many
		body.byte()   // of which type
	}
	return start[:len(start)-len(body)], body
}

type segmentReader struct {
	body   reader
	places []int
	outer  []byte // what stands around the segments' own blocks: perhaps a block, perhaps a loop
}

// next reads a segment, after which so many are left.
func (r *segmentReader) next(left int) (s segment) {
	depth := 0
	for {
		in := r.body.next()
		at := step{instruction: in}
		switch in.op {
		case opBlock, opLoop, opIf:
			depth++
		case opEnd:
			if depth--; depth < 0 {
				return s
			}
		case opBr, opBrIf:
			at = r.branch(at, &s, depth+left, depth)
		case opBrTable, opElse:
			panic("Go has one table a function, and no else")
		}
		s.code = append(s.code, at)
		if depth == 0 {
			s.ends = at.kind == jump || in.op == opReturn || in.op == opUnreachable
		}
	}
}

// branch tells what Go's compiler made of jumps from what it wrote as it is.
func (r *segmentReader) branch(at step, s *segment, inner, depth int) step {
	if at.n < depth {
		return at
	}
	level := len(r.outer) + inner - 1 - at.n
	switch {
	case level < 0 || level >= len(r.outer):
		panic("a branch to nowhere")
	case r.outer[level] == opLoop && at.op == opBr:
		n := len(s.code)
		if n < 2 || s.code[n-1].op != opLocalSet || s.code[n-1].n != 0 || s.code[n-2].op != opI32Const {
			panic("a jump that does not say where to")
		}
		at.kind, at.target = jump, r.places[s.code[n-2].n]
		s.code, s.jumps = s.code[:n-2], append(s.jumps, at.target)
	case r.outer[level] == opBlock && at.op == opBrIf:
		at.kind = unwind
	default:
		panic("a branch that is no jump")
	}
	return at
}

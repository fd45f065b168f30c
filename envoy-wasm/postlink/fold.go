package main

// fold leaves out of a function what Go's compiler writes and nobody needs.
func fold(body []byte) []byte {
	locals, rest := readLocals(body)
	out := append([]byte{}, locals...)
	for _, in := range foldReturns(foldConditions(foldAddresses(instructions(rest)))) {
		out = append(out, in.bytes...)
	}
	return out
}

// The stack pointer is a local variable of Go's functions.
const stackPointer = 1

// foldAddresses lets loads and stores add a place's distance from the stack
// pointer, as they can. Go's compiler has it added before:
//
//	local.get 1, i64.extend_i32_u, i64.const 24, i64.add, i32.wrap_i64, …, i64.store 0
func foldAddresses(code []instruction) (out []instruction) {
	offsets := map[int]int{} // by the places of the loads and stores in code
	for i := 0; i < len(code); i++ {
		if isAddress(code[i:]) {
			if user := userOf(code, i+5); user >= 0 {
				offsets[user] = code[i+2].n
				out = append(out, code[i])
				i += 4
				continue
			}
		}
		in := code[i]
		if offset := offsets[i]; offset != 0 {
			in = of(in.op, in.n, in.more[0]+offset)
		}
		out = append(out, in)
	}
	return out
}

// isAddress says that code begins with a place at some distance above the stack
// pointer, small enough that it wraps in neither way to add it.
func isAddress(code []instruction) bool {
	return len(code) > 5 && code[0].op == opLocalGet && code[0].n == stackPointer && code[1].op == opI64ExtendI32 &&
		code[2].op == opI64Const && code[2].n > 0 && code[2].n < 1<<20 && code[3].op == opI64Add && code[4].op == opI32WrapI64
}

// userOf finds the load or store whose address was pushed before code[i], and
// -1 if what uses it is something else.
func userOf(code []instruction, i int) int {
	for above := 0; i < len(code); i++ { // how many values lie upon the address
		takes, leaves, known := effect(code[i])
		if !known {
			return -1
		}
		if takes > above {
			if code[i].isLoad() && above == 0 || code[i].isStore() && above == 1 {
				return i
			}
			return -1
		}
		above += leaves - takes
	}
	return -1
}

// effect is how many values an instruction takes from the stack and leaves
// there. It does not know those at which control may go elsewhere.
func effect(in instruction) (takes, leaves int, known bool) {
	switch op := in.op; {
	case op == opLocalGet, op == opGlobalGet, op >= opI32Const && op <= opF64Const, op == opMemorySize:
		return 0, 1, true
	case op == opLocalSet, op == opGlobalSet, op == opDrop:
		return 1, 0, true
	case op == opLocalTee, in.isLoad(), op == opMemoryGrow, op == opMisc && in.n <= lastTruncation, isUnary(op):
		return 1, 1, true
	case in.isStore():
		return 2, 0, true
	case op == opSelect:
		return 3, 1, true
	case op == opMisc:
		return 3, 0, true
	case op >= opI32Eqz && op <= opLastNumeric:
		return 2, 1, true
	}
	return 0, 0, false
}

func isUnary(op byte) bool {
	switch {
	case op == opI32Eqz, op == opI64Eqz,
		op >= 0x67 && op <= 0x69, op >= 0x79 && op <= 0x7b, // counts of bits
		op >= 0x8b && op <= 0x91, op >= 0x99 && op <= 0x9f, // of floating-point numbers
		op >= opI32WrapI64 && op <= opLastNumeric: // conversions
		return true
	}
	return false
}

// foldReturns lets a function that returns give back its frame and the return
// address at once:
//
//	local.get 1, i32.const 48, i32.add, local.tee 1, global.set 0,
//	local.get 1, i32.const 8, i32.add, local.tee 1, global.set 0, i32.const 0, return
func foldReturns(code []instruction) (out []instruction) {
	for i := 0; i < len(code); i++ {
		if frame, ok := pops(code[i:]); ok {
			if address, ok := pops(code[i+5:]); ok && code[i+10].op == opI32Const && code[i+11].op == opReturn {
				out = append(out, code[i], constant(frame+address), code[i+2], code[i+9])
				i += 9
				continue
			}
		}
		out = append(out, code[i])
	}
	return out
}

// pops says that code begins by raising the stack pointer.
func pops(code []instruction) (by int, ok bool) {
	if len(code) < 12 {
		return 0, false
	}
	return code[1].n, code[0].op == opLocalGet && code[0].n == stackPointer && code[1].op == opI32Const && code[2].op == opI32Add &&
		code[3].op == opLocalTee && code[3].n == stackPointer && code[4].op == opGlobalSet && code[4].n == 0
}

// foldConditions leaves out negations of negations: what Go's compiler compares
// is an i64 to it, and so is what comes of that.
func foldConditions(code []instruction) (out []instruction) {
	for i := 0; i < len(code); i++ {
		if i+2 < len(code) && code[i].op == opI64ExtendI32 && code[i+1].op == opI64Eqz {
			if i += 2; code[i].op == opI32Eqz && i+1 < len(code) && code[i+1].op == opIf {
				continue // not zero is what an if asks for
			}
			out = append(out, of(opI32Eqz))
		}
		out = append(out, code[i])
	}
	return out
}

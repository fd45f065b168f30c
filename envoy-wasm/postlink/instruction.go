package main

import (
	"encoding/binary"
	"fmt"
)

// The instructions that are looked at, see
// https://webassembly.github.io/spec/core/binary/instructions.html
const (
	opUnreachable  = 0x00
	opNop          = 0x01
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opDrop         = 0x1a
	opSelect       = 0x1b
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opFirstLoad    = 0x28
	opLastLoad     = 0x35
	opLastStore    = 0x3e
	opMemorySize   = 0x3f
	opMemoryGrow   = 0x40
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32Eqz       = 0x45
	opI64Eqz       = 0x50
	opI32Add       = 0x6a
	opI64Add       = 0x7c
	opI32WrapI64   = 0xa7
	opI64ExtendI32 = 0xad // unsigned
	opLastNumeric  = 0xc4
	opMisc         = 0xfc

	// after opMisc
	lastTruncation = 7
	memoryCopy     = 10
	memoryFill     = 11

	noResult = 0x40 // a block's type
)

// instruction is one of a function's, as it stands in the code.
type instruction struct {
	op    byte
	n     int // its first number: a label, a local, a function, a constant, an alignment
	more  []int
	bytes []byte
}

// next takes an instruction.
func (r *reader) next() instruction {
	start := *r
	i := instruction{op: r.byte()}
	switch op := i.op; {
	case op == opBlock || op == opLoop || op == opIf:
		r.byte() // its type
	case op == opI32Const || op == opI64Const:
		i.n = int(r.signed())
	case op == opF32Const:
		*r = (*r)[4:]
	case op == opF64Const:
		*r = (*r)[8:]
	case op == opBrTable:
		i.more = make([]int, r.number()+1)
		for label := range i.more {
			i.more[label] = r.number()
		}
	case op == opCallIndirect:
		i.n = r.number()
		r.byte() // the table
	case op >= opFirstLoad && op <= opLastStore:
		i.n, i.more = r.number(), []int{r.number()} // alignment, offset
	case op == opMemorySize || op == opMemoryGrow:
		r.byte()
	case op == opMisc:
		switch i.n = r.number(); {
		case i.n == memoryCopy:
			*r = (*r)[2:]
		case i.n == memoryFill:
			*r = (*r)[1:]
		case i.n > lastTruncation:
			panic(fmt.Sprintf("unknown instruction fc %02x", i.n))
		}
	case op == opBr, op == opBrIf, op == opCall, op >= opLocalGet && op <= opGlobalSet:
		i.n = r.number()
	case op <= opNop, op == opElse, op == opEnd, op == opReturn, op == opDrop, op == opSelect, op >= opI32Eqz && op <= opLastNumeric:
	default:
		panic(fmt.Sprintf("unknown instruction %02x", op))
	}
	i.bytes = start[:len(start)-len(*r)]
	return i
}

func (i instruction) isLoad() bool  { return i.op >= opFirstLoad && i.op <= opLastLoad }
func (i instruction) isStore() bool { return i.op > opLastLoad && i.op <= opLastStore }

// of is an instruction with so many numbers.
func of(op byte, numbers ...int) instruction {
	i := instruction{op: op, bytes: []byte{op}}
	for at, n := range numbers {
		if at == 0 {
			i.n = n
		} else {
			i.more = append(i.more, n)
		}
		i.bytes = binary.AppendUvarint(i.bytes, uint64(n))
	}
	return i
}

// constant is an i32.const.
func constant(n int) instruction {
	i := instruction{op: opI32Const, n: n, bytes: []byte{opI32Const}}
	for {
		b := byte(n & 0x7f)
		n >>= 7
		if n == 0 && b&0x40 == 0 || n == -1 && b&0x40 != 0 {
			i.bytes = append(i.bytes, b)
			return i
		}
		i.bytes = append(i.bytes, b|0x80)
	}
}

func instructions(body reader) (code []instruction) {
	for len(body) > 0 {
		code = append(code, body.next())
	}
	return code
}

package main

import (
	"encoding/binary"
	"slices"
)

// structured is a function's body with blocks and loops in place of the table.
// It begins at the first segment, whatever its parameter says. Where a block
// ends is where those dominated by one segment begin, as in Norman Ramsey's
// "Beyond Relooper: Recursive Translation of Unstructured Control Flow to
// Structured Control Flow".
func structured(d dispatch) (body []byte, ok bool) {
	f, ok := flowOf(d.segments)
	if !ok {
		return nil, false
	}
	w := writer{segments: d.segments, flow: f, children: make([][]int, len(d.segments))}
	for _, node := range slices.Backward(f.order[1:]) {
		w.children[f.dominate[node]] = append(w.children[f.dominate[node]], node)
	}
	w.out = append(w.out, prologue...)
	w.open(opBlock, unwinding)
	w.tree(0)
	w.out = append(w.out, opUnreachable)
	w.close()
	w.out = append(w.out, opI32Const, 1, opEnd)
	return w.out, true
}

// label is what a branch to a block or loop leads to: a segment, or one of these.
type label int

const (
	unwinding label = -1 - iota
	inner           // of a segment's own
)

type writer struct {
	segments []segment
	flow     flow
	children [][]int // those that a segment dominates, the last first
	labels   []label
	out      []byte
}

func (w *writer) open(op byte, l label) {
	w.out = append(w.out, op, noResult)
	w.labels = append(w.labels, l)
}

func (w *writer) close() {
	w.out = append(w.out, opEnd)
	w.labels = w.labels[:len(w.labels)-1]
}

// branch writes a branch to the innermost block or loop of that label.
func (w *writer) branch(op byte, to label) {
	for i, l := range slices.Backward(w.labels) {
		if l == to {
			w.out = binary.AppendUvarint(append(w.out, op), uint64(len(w.labels)-1-i))
			return
		}
	}
	panic("a branch to a place that is out of sight")
}

// tree writes a segment and all that it dominates.
func (w *writer) tree(node int) {
	isLoop := w.flow.isLoop(node)
	if isLoop {
		w.open(opLoop, label(node))
	}
	w.within(node, w.children[node])
	if isLoop {
		w.close()
	}
}

// within writes a segment inside of blocks, at the ends of which its children
// begin.
func (w *writer) within(node int, children []int) {
	follower := -1
	for _, child := range children {
		if child == node+1 && w.flow.forwardInto(child) == 1 && !slices.Contains(w.segments[node].jumps, child) {
			follower = child // gone forward to from nowhere else: it needs no label
			continue
		}
		w.open(opBlock, label(child))
	}
	w.code(node)
	if follower >= 0 {
		w.tree(follower)
	} else if s := w.segments[node]; !s.ends {
		if node+1 < len(w.segments) {
			w.branch(opBr, label(node+1))
		} else {
			w.out = append(w.out, opUnreachable)
		}
	}
	for _, child := range slices.Backward(children) {
		if child != follower {
			w.close()
			w.tree(child)
		}
	}
}

func (w *writer) code(node int) {
	code := w.segments[node].code
	for i := 0; i < len(code); i++ {
		switch s := code[i]; {
		case s.kind == jump:
			w.branch(opBr, label(s.target))
		case s.kind == unwind:
			w.branch(opBrIf, unwinding)
		case s.op == opIf && i+2 < len(code) && code[i+1].kind == jump && code[i+2].op == opEnd:
			w.branch(opBrIf, label(code[i+1].target))
			i += 2
		default:
			w.plain(s.instruction)
		}
	}
}

func (w *writer) plain(in instruction) {
	w.out = append(w.out, in.bytes...)
	switch in.op {
	case opBlock, opLoop, opIf:
		w.labels = append(w.labels, inner)
	case opEnd:
		w.labels = w.labels[:len(w.labels)-1]
	}
}

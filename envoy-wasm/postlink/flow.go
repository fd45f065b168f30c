package main

import "slices"

// flow is which segment may follow which, from the first on.
type flow struct {
	order    []int   // the segments that can be reached, in reverse postorder
	rank     []int   // place in order, -1 for those that can't
	into     [][]int // from which segments each is entered; one as often as it is entered from there
	dominate []int   // the immediate dominator
}

// flowOf answers false for flow that ifs and loops can't express: a loop
// that can be entered in the middle.
func flowOf(segments []segment) (f flow, ok bool) {
	f = orderOf(segments)
	f.findDominators()
	for _, to := range f.order {
		for _, from := range f.into[to] {
			if f.isBack(from, to) && !f.dominates(to, from) {
				return f, false
			}
		}
	}
	return f, true
}

// orderOf is flow without its dominators.
func orderOf(segments []segment) flow {
	n := len(segments)
	out := make([][]int, n)
	for i, s := range segments {
		out[i] = s.jumps
		if !s.ends && i+1 < n {
			out[i] = append(slices.Clip(out[i]), i+1)
		}
	}
	f := flow{rank: make([]int, n), into: make([][]int, n), dominate: make([]int, n)}
	f.sort(out)
	for _, from := range f.order {
		for _, to := range out[from] {
			f.into[to] = append(f.into[to], from)
		}
	}
	return f
}

// sort walks without recursion: functions have thousands of segments.
func (f *flow) sort(out [][]int) {
	seen := make([]bool, len(out))
	type visit struct{ node, next int }
	stack := []visit{{}}
	seen[0] = true
	for len(stack) > 0 {
		v := &stack[len(stack)-1]
		if v.next == len(out[v.node]) {
			f.order = append(f.order, v.node)
			stack = stack[:len(stack)-1]
			continue
		}
		to := out[v.node][v.next]
		v.next++
		if !seen[to] {
			seen[to] = true
			stack = append(stack, visit{node: to})
		}
	}
	slices.Reverse(f.order)
	for i := range f.rank {
		f.rank[i] = -1
	}
	for i, node := range f.order {
		f.rank[node] = i
	}
}

// isBack says that an edge leads back, as that to the head of a loop does.
func (f *flow) isBack(from, to int) bool { return f.rank[from] >= f.rank[to] }

func (f *flow) isLoop(node int) bool {
	return slices.ContainsFunc(f.into[node], func(from int) bool { return f.isBack(from, node) })
}

// forwardInto counts the edges into a segment that lead forward.
func (f *flow) forwardInto(node int) (n int) {
	for _, from := range f.into[node] {
		if !f.isBack(from, node) {
			n++
		}
	}
	return n
}

// findDominators is the algorithm of Cooper, Harvey and Kennedy, "A Simple, Fast
// Dominance Algorithm".
func (f *flow) findDominators() {
	for i := range f.dominate {
		f.dominate[i] = -1
	}
	f.dominate[0] = 0
	for changed := true; changed; {
		changed = false
		for _, node := range f.order[1:] {
			common := -1
			for _, from := range f.into[node] {
				switch {
				case f.dominate[from] < 0: // not yet known
				case common < 0:
					common = from
				default:
					common = f.commonDominator(common, from)
				}
			}
			if f.dominate[node] != common {
				f.dominate[node], changed = common, true
			}
		}
	}
}

func (f *flow) commonDominator(a, b int) int {
	for a != b {
		for f.rank[a] > f.rank[b] {
			a = f.dominate[a]
		}
		for f.rank[b] > f.rank[a] {
			b = f.dominate[b]
		}
	}
	return a
}

func (f *flow) dominates(a, b int) bool {
	for f.rank[b] > f.rank[a] {
		b = f.dominate[b]
	}
	return a == b
}

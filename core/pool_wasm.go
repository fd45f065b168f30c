package core

// scratchPool keeps memory for its next use. A wasm module runs one call at a time;
// and it stays smaller without a sync.Pool, whose interface makes the linker
// keep every method of all types that can be reached from scratch.
type scratchPool struct{ free []*scratch }

func (p *scratchPool) get() *scratch {
	n := len(p.free)
	if n == 0 {
		return new(scratch)
	}
	s := p.free[n-1]
	p.free[n-1], p.free = nil, p.free[:n-1]
	return s
}

// put keeps some: a check holds its memory while the body is on its way, so there
// is one for each of the senders at once, and a rush of them passes.
func (p *scratchPool) put(s *scratch) {
	const most = 64
	if len(p.free) < most {
		p.free = append(p.free, s)
	}
}

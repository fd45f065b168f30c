//go:build !wasm

package core

import "sync"

// scratchPool keeps memory for its next use.
type scratchPool struct{ free sync.Pool }

func (p *scratchPool) get() *scratch {
	if s, ok := p.free.Get().(*scratch); ok {
		return s
	}
	return new(scratch)
}

func (p *scratchPool) put(s *scratch) { p.free.Put(s) }

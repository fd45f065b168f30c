package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// cold are the functions that are called everywhere and run nowhere.
var cold = []string{"runtime.morestack", "runtime.morestack_noctxt", "runtime.sigpanic"}

// tooLarge is a body that V8 does not inline: it stops at 500 bytes.
const tooLarge = 1200

// The parts of a module, see https://webassembly.github.io/spec/core/binary/modules.html
const (
	customSection  = 0
	importSection  = 2
	codeSection    = 10
	functionNames  = 1 // in the custom section "name"
	functionImport = 0
	nop, end       = 0x01, 0x0b
)

// uninline is the module with the cold functions too large, and without names.
func uninline(module []byte) (out []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it is no module of Go's: %v", r)
		}
	}()
	const header = "\x00asm\x01\x00\x00\x00"
	if !bytes.HasPrefix(module, []byte(header)) {
		return nil, errors.New("it is no wasm module")
	}
	sections := split(reader(module[len(header):]))
	imported, places := 0, map[string]int{}
	for _, s := range sections {
		switch {
		case s.id == importSection:
			imported = importedFunctions(s.content)
		case s.isNames():
			places = namesOf(s.content)
		}
	}
	out = []byte(header)
	for _, s := range sections {
		switch {
		case s.isNames():
			continue
		case s.id == codeSection:
			if s.content, err = enlarge(s.content, places, imported); err != nil {
				return nil, err
			}
		}
		out = append(out, s.id)
		out = appendBytes(out, s.content)
	}
	return out, nil
}

type section struct {
	id      byte
	content reader
}

const nameSection = "\x04name"

func (s section) isNames() bool {
	return s.id == customSection && bytes.HasPrefix(s.content, []byte(nameSection))
}

func split(r reader) (sections []section) {
	for len(r) > 0 {
		id := r.byte()
		sections = append(sections, section{id, r.bytes()})
	}
	return sections
}

// importedFunctions come before the module's own where functions are counted.
func importedFunctions(r reader) (n int) {
	for range r.number() {
		r.bytes() // module
		r.bytes() // name
		if r.byte() != functionImport {
			panic("Go imports functions only")
		}
		r.number() // type
		n++
	}
	return n
}

func namesOf(r reader) map[string]int {
	places := map[string]int{}
	r = r[len(nameSection):]
	for len(r) > 0 {
		kind, names := r.byte(), r.bytes()
		if kind != functionNames {
			continue
		}
		for range names.number() {
			place := names.number()
			places[string(names.bytes())] = place
		}
	}
	return places
}

// enlarge is the code section with the cold functions too large.
func enlarge(r reader, places map[string]int, imported int) ([]byte, error) {
	bodies := make([][]byte, r.number())
	for i := range bodies {
		bodies[i] = r.bytes()
	}
	for _, name := range cold {
		place, ok := places[name]
		if !ok {
			return nil, fmt.Errorf("it has no function %s: build it without -ldflags=-s", name)
		}
		body := &bodies[place-imported]
		fill := max(tooLarge-len(*body), 0)
		last := len(*body) - 1 // end
		*body = append(append((*body)[:last:last], bytes.Repeat([]byte{nop}, fill)...), end)
	}
	out := binary.AppendUvarint(nil, uint64(len(bodies)))
	for _, body := range bodies {
		out = appendBytes(out, body)
	}
	return out, nil
}

func appendBytes(out, b []byte) []byte {
	return append(binary.AppendUvarint(out, uint64(len(b))), b...)
}

// reader takes from its front.
type reader []byte

func (r *reader) byte() byte {
	b := (*r)[0]
	*r = (*r)[1:]
	return b
}

func (r *reader) number() int {
	n, size := binary.Uvarint(*r)
	*r = (*r)[size:]
	return int(n)
}

func (r *reader) bytes() reader {
	n := r.number()
	b := (*r)[:n]
	*r = (*r)[n:]
	return b
}

package main

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// The parts of a module, see https://webassembly.github.io/spec/core/binary/modules.html
const (
	header = "\x00asm\x01\x00\x00\x00"

	customSection   = 0
	typeSection     = 1
	importSection   = 2
	functionSection = 3
	exportSection   = 7
	startSection    = 8
	elementSection  = 9
	codeSection     = 10

	nameSection    = "\x04name" // custom sections
	makerSection   = "\x09producers"
	functionNames  = 1 // in that of names
	functionImport = 0
	functionExport = 0
)

// goVersion is the one whose compiler and runtime postlink was held against.
const goVersion = "go1.26"

// module is what of a module is changed.
type module struct {
	sections []section
	imported int // functions, which come before the module's own where functions are counted
	types    []int
	bodies   [][]byte
	names    []string // of the module's own functions
	moved    map[int]int
}

type section struct {
	id      byte
	content reader
}

func (s section) isNames() bool {
	return s.id == customSection && bytes.HasPrefix(s.content, []byte(nameSection))
}

// readModule panics where a module ends too early.
func readModule(b []byte) (*module, error) {
	if !bytes.HasPrefix(b, []byte(header)) {
		return nil, errors.New("it is no wasm module")
	}
	m := &module{}
	made := false
	for r := reader(b[len(header):]); len(r) > 0; {
		s := section{id: r.byte()}
		s.content = r.bytes()
		m.sections = append(m.sections, s)
		switch {
		case s.id == typeSection && !bytes.HasPrefix(s.content[1:], []byte(goFunctionType)):
			return nil, errors.New("its first type is not that of Go's functions")
		case s.id == startSection:
			return nil, errors.New("it has a start section, which Go does not write")
		case s.id == customSection && bytes.HasPrefix(s.content, []byte(makerSection)):
			made = bytes.Contains(s.content, []byte(goVersion))
		case s.id == importSection:
			m.imported = importedFunctions(s.content)
		case s.id == functionSection:
			for range s.content.number() {
				m.types = append(m.types, s.content.number())
			}
		case s.id == codeSection:
			for range s.content.number() {
				m.bodies = append(m.bodies, s.content.bytes())
			}
		case s.isNames():
			m.readNames(s.content[len(nameSection):])
		}
	}
	if !made {
		return nil, errors.New("it was not made by " + goVersion + ", whose code is all that postlink knows: build it with that (GOTOOLCHAIN=" + goVersion + ".8), or hold postlink against the other's compiler and runtime first")
	}
	if len(m.names) == 0 || len(m.types) != len(m.bodies) {
		return nil, errors.New("its functions have no names: build it without -ldflags=-s")
	}
	return m, nil
}

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

func (m *module) readNames(r reader) {
	m.names = make([]string, len(m.bodies))
	for len(r) > 0 {
		kind, names := r.byte(), r.bytes()
		if kind != functionNames {
			continue
		}
		for range names.number() {
			place, name := names.number(), names.bytes()
			if place >= m.imported {
				m.names[place-m.imported] = string(name)
			}
		}
	}
}

// add appends a function and answers the number by which it is called.
func (m *module) add(kind int, body []byte) int {
	m.types, m.bodies = append(m.types, kind), append(m.bodies, body)
	return m.imported + len(m.bodies) - 1
}

// write is the module without names.
func (m *module) write() []byte {
	out := []byte(header)
	for _, s := range m.sections {
		switch {
		case s.isNames():
			continue
		case s.id == functionSection:
			s.content = binary.AppendUvarint(nil, uint64(len(m.types)))
			for _, kind := range m.types {
				s.content = binary.AppendUvarint(s.content, uint64(kind))
			}
		case s.id == exportSection:
			s.content = m.movedExports(s.content)
		case s.id == elementSection:
			s.content = m.movedElements(s.content)
		case s.id == codeSection:
			s.content = binary.AppendUvarint(nil, uint64(len(m.bodies)))
			for _, body := range m.bodies {
				s.content = appendBytes(s.content, body)
			}
		}
		out = appendBytes(append(out, s.id), s.content)
	}
	return out
}

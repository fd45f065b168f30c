package main

import (
	"bytes"
	"slices"
	"testing"
)

// program is a module with one import and a function for each name, of which
// the first calls all others. Every function is a void one.
func program(names []string) []byte {
	vector := func(items ...[]byte) []byte {
		return append([]byte{byte(len(items))}, bytes.Join(items, nil)...)
	}
	text := func(s string) []byte { return append([]byte{byte(len(s))}, s...) }
	functions, bodies, entries := [][]byte{}, [][]byte{}, [][]byte{append([]byte{0}, text("imported")...)}
	for i, name := range names {
		body := []byte{0} // no locals
		for callee := range names[1:] {
			if i == 0 {
				body = append(body, opCall, byte(callee+2))
			}
		}
		body = append(body, opEnd)
		functions, bodies = append(functions, []byte{1}), append(bodies, appendBytes(nil, body))
		entries = append(entries, append([]byte{byte(i + 1)}, text(name)...))
	}
	module := []byte(header)
	for _, s := range []section{
		{1, vector([]byte{0x60, 1, 0x7f, 1, 0x7f}, []byte{0x60, 0, 0})},
		{importSection, vector(slices.Concat(text("env"), text("imported"), []byte{functionImport, 1}))},
		{functionSection, vector(functions...)},
		{7, vector(slices.Concat(text("run"), []byte{0, 1}))},
		{codeSection, vector(bodies...)},
		{customSection, []byte(makerSection + goVersion)},
		{customSection, slices.Concat([]byte(nameSection), []byte{functionNames}, appendBytes(nil, vector(entries...)))},
	} {
		module = appendBytes(append(module, s.id), s.content)
	}
	return module
}

func TestEnlarge(t *testing.T) {
	names := append([]string{"main.run", "main.other", deferReturn}, cold...)
	module, err := postlink(program(names), noneHot)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for r := reader(module[len(header):]); len(r) > 0; {
		s := section{id: r.byte()}
		s.content = r.bytes()
		if s.isNames() {
			t.Error("the names are still there")
		}
		if s.id == codeSection {
			for range s.content.number() {
				sizes = append(sizes, len(s.content.bytes()))
			}
		}
	}
	if len(sizes) != len(names) {
		t.Fatalf("%d functions of %d", len(sizes), len(names))
	}
	for i, size := range sizes {
		if isCold := slices.Contains(cold, names[i]); isCold != (size == tooLarge) {
			t.Errorf("%s has %d bytes", names[i], size)
		}
	}
}

func TestPostlinkRefuses(t *testing.T) {
	whole := program(append([]string{"main.run", deferReturn}, cold...))
	for name, module := range map[string][]byte{
		"a text":                   []byte("no module"),
		"a part of a module":       whole[:len(whole)-1],
		"a module without names":   program(nil),
		"a module of no Go":        program([]string{"main.run"}),
		"a module of another time": program(append([]string{"main.run", deferReturn}, cold[1:]...)),
		"one that defers unseen":   program(append([]string{"main.run"}, cold...)),
		"a module of another Go":   bytes.Replace(whole, []byte(goVersion), []byte("go1.99"), 1),
	} {
		if _, err := postlink(module, noneHot); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func noneHot(string) bool { return false }

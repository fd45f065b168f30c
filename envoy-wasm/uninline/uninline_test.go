package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
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
				body = append(body, 0x10, byte(callee+2))
			}
		}
		body = append(body, end)
		functions, bodies = append(functions, []byte{0}), append(bodies, appendBytes(nil, body))
		entries = append(entries, append([]byte{byte(i + 1)}, text(name)...))
	}
	module := []byte("\x00asm\x01\x00\x00\x00")
	for _, s := range []section{
		{1, vector([]byte{0x60, 0, 0})},
		{importSection, vector(slices.Concat(text("env"), text("imported"), []byte{functionImport, 0}))},
		{3, vector(functions...)},
		{7, vector(slices.Concat(text("run"), []byte{0, 1}))},
		{codeSection, vector(bodies...)},
		{customSection, slices.Concat([]byte(nameSection), []byte{functionNames}, appendBytes(nil, vector(entries...)))},
	} {
		module = appendBytes(append(module, s.id), s.content)
	}
	return module
}

func TestUninline(t *testing.T) {
	names := append([]string{"main.run", "main.other"}, cold...)
	module, err := uninline(program(names))
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, s := range split(module[8:]) {
		if s.isNames() {
			t.Error("the names are still there")
		}
		if s.id == codeSection {
			for range s.content.number() {
				sizes = append(sizes, len(s.content.bytes()))
			}
		}
	}
	for i, size := range sizes {
		if isCold := slices.Contains(cold, names[i]); isCold != (size == tooLarge) {
			t.Errorf("%s has %d bytes", names[i], size)
		}
	}
	runModule(t, module)
}

func runModule(t *testing.T, module []byte) {
	t.Helper()
	ctx := t.Context()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	defer r.Close(ctx)
	if _, err := r.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(func() {}).Export("imported").Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	m, err := r.Instantiate(ctx, module)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.ExportedFunction("run").Call(ctx); err != nil {
		t.Error(err)
	}
}

func TestUninlineRefuses(t *testing.T) {
	whole := program(append([]string{"main.run"}, cold...))
	for name, module := range map[string][]byte{
		"a text":                   []byte("no module"),
		"a part of a module":       whole[:len(whole)-1],
		"a module without names":   program([]string{"main.run"}),
		"a module of another time": program(append([]string{"main.run"}, cold[1:]...)),
	} {
		if _, err := uninline(module); err == nil || strings.TrimSpace(err.Error()) == "" {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}

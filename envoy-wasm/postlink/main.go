// Postlink makes of a module as go build links it one that Envoy's V8 makes
// faster code of. What the module does stays the same.
//
//	postlink <module as go build made it> <module to write>
//
// Go's compiler knows jumps, wasm has blocks and loops alone; so every jump of
// Go's goes through a table at the head of its function, and no optimizer sees
// what a loop is. Postlink gives functions their blocks and loops back: those
// that requests run (hot.txt), and all for which that takes no room. It puts the
// former side by side, it leaves out what the compiler writes in several
// instructions where one does, which makes room for all this, and it keeps V8 from
// inlining what as good as never runs.
//
// It knows functions by the names that go build writes without -ldflags=-s; the
// names are left out then.
package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: postlink <module as go build made it> <module to write>")
		os.Exit(2)
	}
	if err := change(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "postlink:", err)
		os.Exit(1)
	}
}

// hotFunctions are the names of those that requests run, one a line. make hot
// writes them anew.
//
//go:embed hot.txt
var hotFunctions string

// change leaves the file that it reads as it is: go build takes it for its own,
// and does not write it again while nothing has changed.
func change(from, to string) error {
	linked, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	hot := map[string]bool{}
	for name := range strings.Lines(hotFunctions) {
		hot[strings.TrimSpace(name)] = true
	}
	module, err := postlink(linked, func(name string) bool { return hot[name] })
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	return os.WriteFile(to, module, 0o644)
}

// postlink is the module with the hot functions straight, and without names.
func postlink(linked []byte, hot func(name string) bool) (module []byte, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it is no module of this Go's: %v", r)
		}
	}()
	m, err := readModule(linked)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(m.names, deferReturn) {
		return nil, errors.New("it has no function " + deferReturn)
	}
	straighten(m, hot)
	if err := enlarge(m); err != nil {
		return nil, err
	}
	return m.write(), nil
}

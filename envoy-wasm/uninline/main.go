// Uninline keeps Envoy's V8 from inlining what a module as good as never runs.
//
// Every Go function begins with a call to morestack and has one to sigpanic for
// each pointer that may be nil. Both are small, and V8, which compiles all of a
// module before Envoy serves and knows nothing of what is run how often, puts
// copies of them everywhere: twice the machine code, for which it takes half as
// long again. So these functions are made too large to be inlined, by
// instructions that do nothing where none is reached. Functions are known by
// the names that go build writes without -ldflags=-s; the names are left out
// then.
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: uninline <module>")
		os.Exit(2)
	}
	if err := change(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "uninline:", err)
		os.Exit(1)
	}
}

func change(path string) error {
	module, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if module, err = uninline(module); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, module, 0o644)
}

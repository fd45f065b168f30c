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
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: uninline <module as go build made it> <module to write>")
		os.Exit(2)
	}
	if err := change(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "uninline:", err)
		os.Exit(1)
	}
}

// change leaves the file that it reads as it is: go build takes it for its own,
// and does not write it again while nothing has changed.
func change(from, to string) error {
	module, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if module, err = uninline(module); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	return os.WriteFile(to, module, 0o644)
}

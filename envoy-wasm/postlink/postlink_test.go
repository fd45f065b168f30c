package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// TestProgram runs a program as go build links it and with every function
// straight: it must do the same.
func TestProgram(t *testing.T) {
	linked := build(t, "go", "build", "./testdata/program")
	want := run(t, linked)
	if !strings.Contains(want, "sorted [") {
		t.Fatalf("the program did not come to its end:\n%s", want)
	}
	for name, hot := range map[string]func(string) bool{
		"none":  noneHot,
		"all":   func(string) bool { return true },
		"other": func(name string) bool { return len(name)%2 == 0 },
	} {
		module, err := postlink(linked, hot)
		if err != nil {
			t.Fatal(err)
		}
		if got := run(t, module); got != want {
			t.Errorf("with %s of its functions straight it says\n%s\nand must say\n%s", name, got, want)
		}
	}
}

// TestSHA runs the tests of package sha, with every function straight: they hold
// its code for wasm against crypto.
func TestSHA(t *testing.T) {
	module, err := postlink(build(t, "go", "test", "-c", "../../core/internal/sha"), func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	if out := run(t, module, "-test.v", "-test.run=^Test"); !strings.HasSuffix(out, "PASS\n") || !strings.Contains(out, "--- PASS: Test") {
		t.Error(out)
	}
}

// TestStraight looks at what comes of functions: what has lost its table, where
// that has kept a second body, and what has moved.
func TestStraight(t *testing.T) {
	linked := build(t, "go", "build", "./testdata/program")
	before, err := readModule(linked)
	if err != nil {
		t.Fatal(err)
	}
	after, err := readModule(linked)
	if err != nil {
		t.Fatal(err)
	}
	straighten(after, func(name string) bool { return name == "main.fanIn" || name == "main.find" })
	for _, c := range []struct {
		name                string
		table, moved, stays bool
	}{
		{"main.find", false, true, false},    // hot, and calls nothing but panics
		{"main.fanIn", false, true, true},    // hot, and may be entered in the middle
		{"main.collatz", false, false, true}, // not hot, but it takes no room
		{"main.primes", true, false, true},   // not hot, and would take some
	} {
		i := slices.Index(before.names, c.name)
		if i < 0 {
			t.Fatalf("there is no function %s", c.name)
		}
		if !hasTable(before.bodies[i]) {
			t.Errorf("%s had no table", c.name)
		}
		place := after.at(before.imported+i) - after.imported
		if table := hasTable(after.bodies[place]); table != c.table {
			t.Errorf("%s has a table: %v, want %v", c.name, table, c.table)
		}
		if moved := place != i; moved != c.moved {
			t.Errorf("%s has moved: %v, want %v", c.name, moved, c.moved)
		}
		if stays := !bytes.Equal(after.bodies[i], nothing); stays != c.stays {
			t.Errorf("%s has left a body where it was: %v, want %v", c.name, stays, c.stays)
		}
	}
	if added := len(after.bodies) - len(before.bodies); added != 2 {
		t.Errorf("%d functions moved, want 2", added)
	}
	if size(after) >= size(before) {
		t.Errorf("the code had %d bytes and has %d", size(before), size(after))
	}
}

func hasTable(body []byte) bool {
	_, ok := readDispatch(body)
	return ok
}

func size(m *module) (n int) {
	for _, body := range m.bodies {
		n += len(body)
	}
	return n
}

// build has Go make a module and reads it.
func build(t *testing.T, command ...string) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "linked.wasm")
	last := len(command) - 1
	args := append(append([]string{}, command[1:last]...), "-trimpath", "-buildvcs=false", "-ldflags=-w", "-o", path, command[last])
	cmd := exec.Command(command[0], args...)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	linked, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return linked
}

func run(t *testing.T, module []byte, args ...string) string {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	var out bytes.Buffer
	config := wazero.NewModuleConfig().WithArgs(append([]string{"program"}, args...)...).WithStdout(&out).WithStderr(&out).WithFSConfig(wazero.NewFSConfig())
	if _, err := r.InstantiateWithConfig(ctx, module, config); err != nil && !strings.Contains(err.Error(), "exit_code(0)") {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}

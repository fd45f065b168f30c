package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
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
	if out := run(t, module, "-test.v", "-test.short", "-test.run=^Test"); !strings.HasSuffix(out, "PASS\n") || !strings.Contains(out, "--- PASS: Test") {
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

// runner is the program that runs modules.
var runner = sync.OnceValues(func() (path string, err error) {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "run")
	if out, err := exec.Command("go", "build", "-o", path, "./testdata/run").CombinedOutput(); err != nil {
		return path, fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := runner(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func run(t *testing.T, module []byte, args ...string) string {
	t.Helper()
	path, err := runner()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "module.wasm")
	if err := os.WriteFile(file, module, 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, append([]string{file}, args...)...).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

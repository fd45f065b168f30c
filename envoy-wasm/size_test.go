package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestModuleSize holds the module to 4 MiB: all of it is compiled before Envoy
// serves, and kept in memory.
func TestModuleSize(t *testing.T) {
	const most = 4 << 20
	if size := len(buildModule(t)); size > most {
		t.Errorf("hookward.wasm has %d bytes, at most %d are allowed: see make size", size, most)
	}
}

// TestModuleBuildsAgain: go build leaves what is up to date as it is, and the
// step after it must find it so.
func TestModuleBuildsAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hookward.wasm")
	if first, again := makeModule(t, path), makeModule(t, path); !bytes.Equal(first, again) {
		t.Errorf("the same source made %d bytes, then %d others", len(first), len(again))
	}
}

// buildModule builds the module as it is delivered.
func buildModule(t *testing.T) []byte {
	t.Helper()
	return makeModule(t, filepath.Join(t.TempDir(), "hookward.wasm"))
}

func makeModule(t *testing.T, path string) []byte {
	t.Helper()
	build := exec.Command("make", "-C", "..", "wasm", "WASM="+path)
	build.Env = append(os.Environ(), "MAKEFLAGS=") // not those of a make that runs us
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the module: %v\n%s", err, out)
	}
	code, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

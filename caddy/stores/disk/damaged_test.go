package disk_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/hookward/hookward/caddy/stores/disk"
	"github.com/hookward/hookward/core"
)

// Whatever a file holds, it opens; a damaged one is set aside and named in the
// log, and what is whole in it is kept.
func TestDamaged(t *testing.T) {
	const claims = 100
	for _, c := range []struct {
		name    string
		damage  func(b []byte) []byte
		lost    int // how many of the claims may be lost, at most
		isAside bool
	}{
		{"untouched", func(b []byte) []byte { return b }, 0, false},
		{"half a record at the end", func(b []byte) []byte { return b[:len(b)-20] }, 1, false},
		{"zeros at the end", func(b []byte) []byte { return append(b, make([]byte, 4096)...) }, 0, false},
		{"only a piece of its first line", func(b []byte) []byte { return b[:10] }, claims, false},
		{"empty", func(b []byte) []byte { return nil }, claims, false},
		{"one byte wrong in the middle", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, 1, true},
		{"a sector of zeros", func(b []byte) []byte { clear(b[1024:1536]); return b }, 12, true},
		{"something else", func([]byte) []byte { return bytes.Repeat([]byte("SQLite format 3\x00"), 100) }, claims, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "claims")
			s := mustOpen(t, path)
			for n := range claims {
				claimCommit(t, s, n)
			}
			s.Crash()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.damage(data), 0o600); err != nil {
				t.Fatal(err)
			}
			sees, logs := observer.New(zapcore.WarnLevel)
			s, err = disk.Open(path, 1_000_000, zap.New(sees))
			if err != nil {
				t.Fatal(err)
			}
			lost := 0
			for n := range claims {
				if state(t, s, n) != core.Done {
					lost++
				}
			}
			if lost > c.lost {
				t.Errorf("%d claims lost, want at most %d", lost, c.lost)
			}
			checkAside(t, path, c.isAside, logs)
			held := s.Len()
			s.Crash()
			s = mustOpen(t, path) // and once more, now that it is whole
			if s.Len() != held {
				t.Errorf("%d claims after the second start, want %d", s.Len(), held)
			}
		})
	}
}

func checkAside(t *testing.T, path string, want bool, logs *observer.ObservedLogs) {
	t.Helper()
	aside, err := filepath.Glob(path + ".corrupt-*")
	if err != nil {
		t.Fatal(err)
	}
	errors := logs.FilterLevelExact(zapcore.ErrorLevel)
	if got := len(aside) == 1; got != want || (errors.Len() == 1) != want {
		t.Errorf("set aside: %v, errors in the log: %d, want %v", aside, errors.Len(), want)
	}
	if want && errors.FilterField(zap.String("set_aside", aside[0])).Len() != 1 {
		t.Errorf("the log does not name the file: %v", errors.All())
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(nil))
	f.Add([]byte("hookward claims, version 1; do not edit while in use\n"))
	path := filepath.Join(f.TempDir(), "seed")
	s := mustOpen(f, path)
	for n := range 5 {
		claimCommit(f, s, n)
	}
	s.Crash()
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "claims")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, path)
		claimCommit(t, s, 1)
		s.Crash()
		if s = mustOpen(t, path); state(t, s, 1) != core.Done {
			t.Error("a commit after opening a damaged file is lost")
		}
	})
}

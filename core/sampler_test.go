package core_test

import (
	"testing"
	"time"

	"github.com/hookward/hookward/core"
)

// TestSampler: a flood of one code leaves another's line alone, and the lines that
// are missing are counted in the next that is not.
func TestSampler(t *testing.T) {
	var s core.Sampler
	now := time.Unix(1_800_000_000, 0)
	let := 0
	for range 500 {
		if _, ok := s.Lets(core.SignatureMissing, now); ok {
			let++
		}
	}
	if let != 20+4 {
		t.Errorf("%d of 500 were let through, want 24", let)
	}
	if hidden, ok := s.Lets(core.SignatureMismatch, now); !ok || hidden != 0 {
		t.Errorf("another code = %d, %t, want 0, true", hidden, ok)
	}
	now = now.Add(time.Second)
	for i, want := range []int{80, 0} { // the last that was let through was the 420th
		if hidden, ok := s.Lets(core.SignatureMissing, now); !ok || hidden != want {
			t.Errorf("%d in the next second = %d, %t, want %d, true", i, hidden, ok, want)
		}
	}
}

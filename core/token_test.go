package core_test

import (
	"strings"
	"testing"

	"github.com/hookward/hookward/core"
)

// A short token is accepted, since Telegram takes it, and the operator is told:
// which one, and not what it is.
func TestShortTokensAreNoted(t *testing.T) {
	short, long := strings.Repeat("s", 31), strings.Repeat("l", 32)
	gate, err := core.New(core.Config{Provider: "telegram", Secrets: []string{long, short}})
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(gate.Notes(), "\n")
	if !strings.Contains(notes, "secrets[1]") || strings.Contains(notes, "secrets[0]") || strings.Contains(notes, short) {
		t.Errorf("notes are %q, want one on secrets[1]", notes)
	}
}

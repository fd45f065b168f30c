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

// What the provider's secret hardly begins or ends with is taken as it is, and the
// operator told.
func TestStrayCharactersAreNoted(t *testing.T) {
	for secret, noted := range map[string]bool{
		"s3cr3t": false, "s3 cr3t": false, "s3cr3t\n": false, "s3cr3t\r\n": false,
		" s3cr3t": true, "s3cr3t\t": true, `"s3cr3t"`: true, "'s3cr3t'": true, "\ufeffs3cr3t": true, "s3cr3t \n": true,
	} {
		gate, err := core.New(core.Config{Provider: "zavu", Secrets: []string{secret}})
		if err != nil {
			t.Fatal(err)
		}
		notes := strings.Join(gate.Notes(), "\n")
		if strings.Contains(notes, "secrets[0] begins or ends with") != noted || strings.Contains(notes, "s3cr3t") {
			t.Errorf("of %q the notes are %q", secret, notes)
		}
	}
}

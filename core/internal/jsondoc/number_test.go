package jsondoc_test

import (
	"encoding/json"
	"testing"

	"github.com/hookward/hookward/core/internal/jsondoc"
)

func TestIsNumber(t *testing.T) {
	for text, want := range map[string]bool{
		"0": true, "-0": true, "12": true, "1.5": true, "-1.25": true, "1e5": true, "1E+5": true, "2.5e-3": true,
		"": false, "-": false, "+1": false, "01": false, "1.": false, ".5": false, "1e": false, "1e+": false,
		" 1": false, "1 ": false, "1,2": false, "0x1": false, "NaN": false, "Infinity": false, "1_000": false,
		`"1"`: false, "1}": false, "--1": false, "１": false,
	} {
		if got := jsondoc.IsNumber(text); got != want {
			t.Errorf("IsNumber(%q) = %v, want %v", text, got, want)
		}
		if got := json.Valid([]byte(text)) && text[0] != '"' && text[0] != ' ' && text[len(text)-1] != ' '; got != want {
			t.Errorf("encoding/json takes %q for a number: %v, want %v", text, got, want)
		}
	}
}

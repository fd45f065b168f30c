package hex

import (
	"bytes"
	standard "encoding/hex"
	"testing"
)

// FuzzHex holds the package against encoding/hex.
func FuzzHex(f *testing.F) {
	for _, seed := range []string{"", "0", "00", "fF", "0g", "g0", "0123456789abcdefABCDEF", "é"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := DecodeString(s)
		want, wantErr := standard.DecodeString(s)
		if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got, want) {
			t.Errorf("DecodeString(%q) = %x, %v, want %x, %v", s, got, err, want, wantErr)
		}
		if got, want := EncodeToString([]byte(s)), standard.EncodeToString([]byte(s)); got != want {
			t.Errorf("EncodeToString(%q) = %q, want %q", s, got, want)
		}
	})
}

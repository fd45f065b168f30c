package jsondoc

import (
	"math/bits"
	"unicode/utf8"
)

// Most of a string is plain: bytes that stand for themselves. They are passed
// over eight at a time, the first in the lowest bits of a word.

const ones, highs = 0x0101010101010101, 0x8080808080808080

// word is the eight bytes of s from i on. The compiler makes one load of it.
func word(s string, i int) uint64 {
	b := s[i : i+8]
	return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
		uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
}

// specials has the high bit of each byte set that is a quote, a backslash or a
// control character; above the first such byte it may be set wrongly. The bit
// comes from borrowing: with bit 1 turned over, the quote and the control
// characters, and no others, are below '!'; the backslash is turned into zero.
func specials(x uint64) uint64 {
	low, backslash := x^(ones*2), x^(ones*'\\')
	return ((low-ones*'!')&^low | (backslash-ones)&^backslash) & highs
}

// plainEnd is where the plain bytes of s from i on end: at a quote, a
// backslash, a control character or the end.
func plainEnd(s string, i int) int {
	for ; i+8 <= len(s); i += 8 {
		if m := specials(word(s, i)); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for i < len(s) && (plainASCII[s[i]] || s[i] >= utf8.RuneSelf) {
		i++
	}
	return i
}

// IsPlainASCII says that s can stand in a JSON string as it is.
func IsPlainASCII(s string) bool {
	const size = 8
	if len(s) < size {
		for i := range len(s) {
			if !plainASCII[s[i]] {
				return false
			}
		}
		return true
	}
	// The last word overlaps the one before it.
	last := word(s, len(s)-size)
	found := specials(last) | last&highs
	for i := 0; i+size < len(s); i += size {
		x := word(s, i)
		found |= specials(x) | x&highs
	}
	return found == 0
}

// plainASCII are the ASCII characters that stand for themselves in a string.
var plainASCII = func() (set [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		set[c] = c != '"' && c != '\\'
	}
	return set
}()

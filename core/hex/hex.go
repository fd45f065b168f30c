// Package hex is encoding/hex without its errors, which would bring all of fmt
// into hookward.wasm: a tenth of it.
package hex

import "errors"

const digits = "0123456789abcdef"

var errBad = errors.New("not hexadecimal")

// EncodedLen is the length of n bytes in hexadecimal.
func EncodedLen(n int) int { return 2 * n }

// Encode writes src in lower case to dst and returns how much it has written.
func Encode(dst, src []byte) int {
	for i, b := range src {
		dst[2*i], dst[2*i+1] = digits[b>>4], digits[b&15]
	}
	return 2 * len(src)
}

// AppendEncode appends src in lower case to dst.
func AppendEncode(dst, src []byte) []byte {
	for _, b := range src {
		dst = append(dst, digits[b>>4], digits[b&15])
	}
	return dst
}

// EncodeToString is src in lower case.
func EncodeToString(src []byte) string { return string(AppendEncode(nil, src)) }

// Decode reads src, in either case, into dst and returns how much it has
// written. A character that is no digit and an odd length are errors.
func Decode(dst []byte, src string) (int, error) {
	if len(src)%2 != 0 {
		return 0, errBad
	}
	dst = dst[:len(src)/2]
	for i := range dst {
		pair := src[2*i : 2*i+2]
		high, low := values[pair[0]], values[pair[1]]
		if high|low == bad {
			return i, errBad
		}
		dst[i] = high<<4 | low
	}
	return len(dst), nil
}

// DecodeString is Decode for a string.
func DecodeString(s string) ([]byte, error) {
	dst := make([]byte, len(s)/2)
	n, err := Decode(dst, s)
	return dst[:n], err
}

// Digit is the value of one digit.
func Digit(c byte) (value byte, ok bool) {
	value = values[c]
	return value, value != bad
}

// values are the digits' values, bad for what is none. Digits come in no order
// that a processor could guess, so there is no branch for them.
var values = func() (v [256]byte) {
	for c := range v {
		v[c] = bad
	}
	for i := range byte(10) {
		v['0'+i] = i
	}
	for i := range byte(6) {
		v['a'+i], v['A'+i] = 10+i, 10+i
	}
	return v
}()

const bad = 0xff

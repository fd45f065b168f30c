package sha

import (
	"encoding/binary"
	"math/bits"
)

var constants256 = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}

// blocks256 is FIPS 180-4, section 6.2.2. Sixteen steps are written out: with
// every place known beforehand nothing is moved, masked or checked.
func (d *Digest) blocks256(p []byte) {
	var w [16]uint32
	s := &d.state
	for ; len(p) >= BlockSize; p = p[BlockSize:] {
		for i := range w {
			w[i] = binary.BigEndian.Uint32(p[4*i:])
		}
		a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
		for i := 0; i < len(constants256); i += len(w) {
			k := (*[16]uint32)(constants256[i:])
			d, h = step256(a, b, c, d, e, f, g, h, k[0]+take256(&w, 0))
			c, g = step256(h, a, b, c, d, e, f, g, k[1]+take256(&w, 1))
			b, f = step256(g, h, a, b, c, d, e, f, k[2]+take256(&w, 2))
			a, e = step256(f, g, h, a, b, c, d, e, k[3]+take256(&w, 3))
			h, d = step256(e, f, g, h, a, b, c, d, k[4]+take256(&w, 4))
			g, c = step256(d, e, f, g, h, a, b, c, k[5]+take256(&w, 5))
			f, b = step256(c, d, e, f, g, h, a, b, k[6]+take256(&w, 6))
			e, a = step256(b, c, d, e, f, g, h, a, k[7]+take256(&w, 7))
			d, h = step256(a, b, c, d, e, f, g, h, k[8]+take256(&w, 8))
			c, g = step256(h, a, b, c, d, e, f, g, k[9]+take256(&w, 9))
			b, f = step256(g, h, a, b, c, d, e, f, k[10]+take256(&w, 10))
			a, e = step256(f, g, h, a, b, c, d, e, k[11]+take256(&w, 11))
			h, d = step256(e, f, g, h, a, b, c, d, k[12]+take256(&w, 12))
			g, c = step256(d, e, f, g, h, a, b, c, k[13]+take256(&w, 13))
			f, b = step256(c, d, e, f, g, h, a, b, k[14]+take256(&w, 14))
			e, a = step256(b, c, d, e, f, g, h, a, k[15]+take256(&w, 15))
		}
		s[0] += a
		s[1] += b
		s[2] += c
		s[3] += d
		s[4] += e
		s[5] += f
		s[6] += g
		s[7] += h
	}
}

// step256 gives what become the variables d and h.
func step256(a, b, c, d, e, f, g, h, word uint32) (newD, newH uint32) {
	t := h + word + (g ^ (e & (f ^ g))) +
		(bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25))
	return d + t, t + ((a & b) | (c & (a | b))) +
		(bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22))
}

// take256 gives a word of the schedule, and puts in its place the one that comes
// 16 steps later.
func take256(w *[16]uint32, i int) uint32 {
	word, x, y := w[i], w[(i+14)&15], w[(i+1)&15]
	w[i] = word + w[(i+9)&15] +
		(bits.RotateLeft32(x, -17) ^ bits.RotateLeft32(x, -19) ^ x>>10) +
		(bits.RotateLeft32(y, -7) ^ bits.RotateLeft32(y, -18) ^ y>>3)
	return word
}

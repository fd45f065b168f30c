package sha

import (
	"encoding/binary"
	"math/bits"
)

// blocks1 is FIPS 180-4, section 6.1.3, the variant that needs 16 words.
func (d *Digest) blocks1(p []byte) {
	var w [16]uint32
	s := &d.state
	for ; len(p) >= BlockSize; p = p[BlockSize:] {
		for i := range w {
			w[i] = binary.BigEndian.Uint32(p[4*i:])
		}
		a, b, c, d, e := s[0], s[1], s[2], s[3], s[4]
		for i := range 80 {
			if i >= 16 {
				w[i%16] = bits.RotateLeft32(w[(i+13)%16]^w[(i+8)%16]^w[(i+2)%16]^w[i%16], 1)
			}
			f, constant := b^c^d, uint32(0xca62c1d6)
			switch i / 20 {
			case 0:
				f, constant = d^(b&(c^d)), 0x5a827999
			case 1:
				constant = 0x6ed9eba1
			case 2:
				f, constant = (b&c)|(d&(b|c)), 0x8f1bbcdc
			}
			t := bits.RotateLeft32(a, 5) + f + e + constant + w[i%16]
			e, d, c, b, a = d, c, bits.RotateLeft32(b, 30), a, t
		}
		s[0] += a
		s[1] += b
		s[2] += c
		s[3] += d
		s[4] += e
	}
}

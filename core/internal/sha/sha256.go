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

// blocks256 is FIPS 180-4, section 6.2.2.
func (d *Digest) blocks256(p []byte) {
	var w [64]uint32
	for ; len(p) >= BlockSize; p = p[BlockSize:] {
		expand256(&w, (*[BlockSize]byte)(p))
		rounds256(&d.state, &w)
	}
}

// both256 takes whole blocks into two hashes. That costs less than blocks256
// twice, since a block's schedule depends on the message alone.
func both256(d, e *Digest, p []byte) {
	var w [64]uint32
	for ; len(p) >= BlockSize; p = p[BlockSize:] {
		expand256(&w, (*[BlockSize]byte)(p))
		rounds256(&d.state, &w)
		rounds256(&e.state, &w)
	}
}

// expand256 makes a block's schedule. Four steps are written out in each loop:
// with every place known beforehand nothing is masked or checked.
func expand256(w *[64]uint32, block *[BlockSize]byte) {
	for i := 0; i < 16; i += 4 {
		p := block[4*i : 4*i+16]
		w := (*[4]uint32)(w[i:])
		w[0], w[1], w[2], w[3] = bigEndian(p), bigEndian(p[4:]), bigEndian(p[8:]), bigEndian(p[12:])
	}
	for i := 0; i < 48; i += 4 {
		w := (*[20]uint32)(w[i:])
		w[16] = w[0] + sigma0(w[1]) + w[9] + sigma1(w[14])
		w[17] = w[1] + sigma0(w[2]) + w[10] + sigma1(w[15])
		w[18] = w[2] + sigma0(w[3]) + w[11] + sigma1(w[16])
		w[19] = w[3] + sigma0(w[4]) + w[12] + sigma1(w[17])
	}
}

// bigEndian is binary.BigEndian.Uint32 with one load: for wasm, which cannot
// swap bytes, the compiler makes four of that one.
func bigEndian(p []byte) uint32 { return bits.ReverseBytes32(binary.LittleEndian.Uint32(p)) }

// Rotations of x by several places, combined, are made one of another: one copy
// of x is moved on, where each on its own would need a copy.

// sigma0 rotates by 7 and 18 and shifts by 3.
func sigma0(x uint32) uint32 { return bits.RotateLeft32(bits.RotateLeft32(x, -11)^x, -7) ^ x>>3 }

// sigma1 rotates by 17 and 19 and shifts by 10.
func sigma1(x uint32) uint32 { return bits.RotateLeft32(bits.RotateLeft32(x, -2)^x, -17) ^ x>>10 }

// rounds256 takes a schedule into the state. Eight steps are written out, after
// which each variable is in its place again: nothing is moved. They are not in
// functions, from whose arguments the compiler for wasm makes variables, more
// than fit into its registers.
//
// A step's majority of a, b and c is b ^ (a^b)&(b^c), and the next one's b^c is
// this one's a^b: x and y are the two by turns. The rotations are by 6, 11 and
// 25, and by 2, 13 and 22.
func rounds256(s *[8]uint32, words *[64]uint32) {
	a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	x, y := uint32(0), b^c
	for i := 0; i < len(constants256); i += 8 {
		k := (*[8]uint32)(constants256[i:])
		w := (*[8]uint32)(words[i:])
		h += k[0] + w[0] + (g ^ (e & (f ^ g))) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(e, -14)^e, -5)^e, -6)
		d += h
		x = a ^ b
		h += (b ^ (x & y)) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(a, -9)^a, -11)^a, -2)
		g += k[1] + w[1] + (f ^ (d & (e ^ f))) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(d, -14)^d, -5)^d, -6)
		c += g
		y = h ^ a
		g += (a ^ (x & y)) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(h, -9)^h, -11)^h, -2)
		f += k[2] + w[2] + (e ^ (c & (d ^ e))) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(c, -14)^c, -5)^c, -6)
		b += f
		x = g ^ h
		f += (h ^ (x & y)) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(g, -9)^g, -11)^g, -2)
		e += k[3] + w[3] + (d ^ (b & (c ^ d))) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(b, -14)^b, -5)^b, -6)
		a += e
		y = f ^ g
		e += (g ^ (x & y)) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(f, -9)^f, -11)^f, -2)
		d += k[4] + w[4] + (c ^ (a & (b ^ c))) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(a, -14)^a, -5)^a, -6)
		h += d
		x = e ^ f
		d += (f ^ (x & y)) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(e, -9)^e, -11)^e, -2)
		c += k[5] + w[5] + (b ^ (h & (a ^ b))) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(h, -14)^h, -5)^h, -6)
		g += c
		y = d ^ e
		c += (e ^ (x & y)) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(d, -9)^d, -11)^d, -2)
		b += k[6] + w[6] + (a ^ (g & (h ^ a))) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(g, -14)^g, -5)^g, -6)
		f += b
		x = c ^ d
		b += (d ^ (x & y)) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(c, -9)^c, -11)^c, -2)
		a += k[7] + w[7] + (h ^ (f & (g ^ h))) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(f, -14)^f, -5)^f, -6)
		e += a
		y = b ^ c
		a += (c ^ (x & y)) + bits.RotateLeft32(bits.RotateLeft32(bits.RotateLeft32(b, -9)^b, -11)^b, -2)
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

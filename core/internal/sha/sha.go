// Package sha computes SHA-256, SHA-1 and their HMACs in plain Go, for the wasm
// module alone. There the crypto packages have no code for the processor either,
// are a quarter slower than this, and bring what nobody calls: other hashes,
// ciphers, random numbers, files. The native core uses crypto; the tests hold
// this package against it.
package sha

import "encoding/binary"

// Sizes in bytes.
const (
	BlockSize = 64
	Size256   = 32
	Size1     = 20
)

// Digest is a hash that is being computed. It is a value: a copy goes on by
// itself.
type Digest struct {
	state  [8]uint32
	size   int // of the sum, by which the algorithm is known
	length uint64
	rest   [BlockSize]byte // of which length % BlockSize bytes wait for more
}

// New256 begins a SHA-256.
func New256() Digest {
	return Digest{size: Size256, state: [8]uint32{
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	}}
}

// New1 begins a SHA-1.
func New1() Digest {
	return Digest{size: Size1, state: [8]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}}
}

// Sum256 is the SHA-256 of p.
func Sum256(p []byte) (sum [Size256]byte) {
	d := New256()
	d.Write(p)
	d.Sum(sum[:0])
	return sum
}

// Write hashes p after what came before.
func (d *Digest) Write(p []byte) {
	waiting := int(d.length % BlockSize)
	d.length += uint64(len(p))
	if waiting > 0 {
		n := copy(d.rest[waiting:], p)
		if waiting+n < BlockSize {
			return
		}
		d.blocks(d.rest[:])
		p = p[n:]
	}
	whole := len(p) / BlockSize * BlockSize
	d.blocks(p[:whole])
	copy(d.rest[:], p[whole:])
}

// Sum appends the hash of what has been written to dst.
func (d Digest) Sum(dst []byte) []byte {
	const lengthSize = 8
	var end [BlockSize + lengthSize]byte
	end[0] = 0x80
	fill := BlockSize - int((d.length+lengthSize)%BlockSize)
	binary.BigEndian.PutUint64(end[fill:], 8*d.length)
	d.Write(end[:fill+lengthSize])
	for _, word := range d.state[:d.size/4] {
		dst = binary.BigEndian.AppendUint32(dst, word)
	}
	return dst
}

// blocks takes whole blocks in.
func (d *Digest) blocks(p []byte) {
	if d.size == Size1 {
		d.blocks1(p)
	} else {
		d.blocks256(p)
	}
}

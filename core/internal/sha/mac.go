package sha

// MAC computes HMACs (RFC 2104) under one key, which it has taken in already.
type MAC struct{ inner, outer Digest }

// NewMAC is the HMAC of the hash that begins with start.
func NewMAC(start Digest, key []byte) MAC {
	if len(key) > BlockSize {
		d := start
		d.Write(key)
		key = d.Sum(nil)
	}
	m := MAC{start, start}
	m.inner.Write(padded(key, 0x36))
	m.outer.Write(padded(key, 0x5c))
	return m
}

func padded(key []byte, with byte) []byte {
	block := make([]byte, BlockSize)
	copy(block, key)
	for i := range block {
		block[i] ^= with
	}
	return block
}

// Sum appends the HMAC of the parts, one after the other, to dst.
func (m *MAC) Sum(dst []byte, parts ...[]byte) []byte {
	inner, outer := m.inner, m.outer
	for _, part := range parts {
		inner.Write(part)
	}
	var sum [Size256]byte
	outer.Write(inner.Sum(sum[:0]))
	return outer.Sum(dst)
}

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
	inner := m.inner
	for _, part := range parts {
		inner.Write(part)
	}
	return m.finish(dst, &inner)
}

// SumBoth appends the HMAC of the message to dst, and gives the SHA-256 of the
// message besides. With a MAC of SHA-256 this is faster than the two apart.
func (m *MAC) SumBoth(dst, message []byte) (sum []byte, digest [Size256]byte) {
	inner, plain := m.inner, New256()
	if inner.size == Size256 { // the key was one block: the message's are the same
		whole := len(message) / BlockSize * BlockSize
		both256(&inner, &plain, message[:whole])
		inner.length += uint64(whole)
		plain.length += uint64(whole)
		message = message[whole:]
	}
	inner.Write(message)
	plain.Write(message)
	plain.Sum(digest[:0])
	return m.finish(dst, &inner), digest
}

// finish appends the HMAC to dst whose inner hash has taken all in.
func (m *MAC) finish(dst []byte, inner *Digest) []byte {
	outer := m.outer
	var sum [Size256]byte
	outer.Write(inner.Sum(sum[:0]))
	return outer.Sum(dst)
}

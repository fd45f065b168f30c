//go:build !wasm

package core

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"hash"
	"sync"

	"github.com/hookward/hookward/core/provider"
)

var hashes = map[provider.Algorithm]func() hash.Hash{
	provider.SHA256: sha256.New,
	provider.SHA1:   sha1.New,
}

// mac computes HMACs under one key. Setting a key costs as much as hashing two
// blocks, so set-up hashes are kept for the next message.
type mac struct {
	pool sync.Pool
}

func newMAC(algorithm provider.Algorithm, key []byte) *mac {
	return &mac{sync.Pool{New: func() any { return hmac.New(hashes[algorithm], key) }}}
}

// sum appends the HMAC of the parts, one after the other, to dst.
func (m *mac) sum(dst []byte, parts ...[]byte) []byte {
	h := m.pool.Get().(hash.Hash)
	h.Reset()
	for _, part := range parts {
		h.Write(part)
	}
	dst = h.Sum(dst)
	m.pool.Put(h)
	return dst
}

// sumBoth is sum, and the SHA-256 of the message.
func (m *mac) sumBoth(dst, message []byte) (sum []byte, digest [sha256.Size]byte) {
	return m.sum(dst, message), sha256.Sum256(message)
}

func sum256(p []byte) [sha256.Size]byte { return sha256.Sum256(p) }

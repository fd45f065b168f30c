package core

import (
	"github.com/hookward/hookward/core/internal/sha"
	"github.com/hookward/hookward/core/provider"
)

var hashes = map[provider.Algorithm]sha.Digest{
	provider.SHA256: sha.New256(),
	provider.SHA1:   sha.New1(),
}

// mac computes HMACs under one key.
type mac struct{ keyed sha.MAC }

func newMAC(algorithm provider.Algorithm, key []byte) *mac {
	return &mac{sha.NewMAC(hashes[algorithm], key)}
}

// sum appends the HMAC of the parts, one after the other, to dst.
func (m *mac) sum(dst []byte, parts ...[]byte) []byte { return m.keyed.Sum(dst, parts...) }

// sumBoth is sum, and the SHA-256 of the message.
func (m *mac) sumBoth(dst, message []byte) (sum []byte, digest [sha.Size256]byte) {
	return m.keyed.SumBoth(dst, message)
}

func sum256(p []byte) [sha.Size256]byte { return sha.Sum256(p) }

package core

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/unified"
)

// key is the claim's key for an event: the hash of the endpoint's name and the
// event's identity. Every part has its length before it, so that no two
// identities run together alike. Without an identity of its own an event is
// known by the digest of the signed bytes and its index.
func (c *Check) key(e *unified.Event, index int) Key {
	var buf [256]byte
	b := appendPart(buf[:0], c.gate.name)
	if e.Identity.IsZero() {
		b = appendPart(b, "digest")
		b = appendPart(b, c.verdict.Delivery)
		b = appendPart(b, strconv.Itoa(index))
	} else {
		for _, part := range e.Identity {
			b = appendPart(b, part)
		}
	}
	sum := sum256(b)
	return Key(sum[:16])
}

// isGarbled says that a part of an identity held what is no text: U+FFFD stands
// for any of it, so two events could share it.
func isGarbled(part string) bool {
	return !jsondoc.IsPlainASCII(part) && (!utf8.ValidString(part) || strings.Contains(part, "\uFFFD"))
}

func appendPart(b []byte, part string) []byte {
	b = binary.AppendUvarint(b, uint64(len(part)))
	return append(b, part...)
}

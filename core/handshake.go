package core

import (
	"crypto/subtle"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/provider"
)

// maxChallenge is longer than any provider's challenge.
const maxChallenge = 200

// handshake answers a challenge, or denies.
func (c *Check) handshake() *Verdict {
	h := c.gate.provider.Handshake
	_, query, _ := strings.Cut(c.head.Target, "?")
	challenge := queryValues(query, h.Challenge)
	if len(challenge) != 1 || challenge[0] == "" || len(challenge[0]) > maxChallenge {
		return c.deny(h.Challenge)
	}
	if h.Mode != "" && !slices.Equal(queryValues(query, h.Mode), []string{h.ModeValue}) {
		return c.deny(h.Mode)
	}
	if h.VerifyToken != "" && !c.gate.knowsVerifyToken(queryValues(query, h.VerifyToken)) {
		return c.deny(h.VerifyToken)
	}
	switch h.Answer {
	case provider.Echo:
		return c.shake("text/plain; charset=utf-8", []byte(challenge[0]))
	case provider.SignedToken:
		return c.signToken(query, h.Challenge)
	default:
		return c.reject(HandshakeDenied)
	}
}

// deny tells the operator, not the sender, which parameter was not as it must
// be.
func (c *Check) deny(parameter string) *Verdict {
	c.note("denied_for", parameter)
	return c.reject(HandshakeDenied)
}

func (g *Gate) knowsVerifyToken(got []string) bool {
	if len(got) != 1 {
		return false
	}
	known := 0
	for _, token := range g.verifyToken {
		known |= subtle.ConstantTimeCompare([]byte(token), []byte(got[0]))
	}
	return known == 1
}

// signToken answers X's CRC. A bare plus sign is a plus there and not a space,
// so the parameter is decoded by itself.
func (c *Check) signToken(query, name string) *Verdict {
	token := ""
	for part := range strings.SplitSeq(query, "&") {
		if key, value, _ := strings.Cut(part, "="); key == name {
			token = queryValues("t="+strings.ReplaceAll(value, "+", "%2B"), "t")[0]
		}
	}
	if token == "" || strings.ContainsFunc(token, notInToken) {
		return c.deny(name)
	}
	sum := c.gate.macs[0].sum(nil, []byte(token))
	body := append([]byte(nil), `{"response_token":`...)
	body = jsondoc.AppendString(body, "sha256="+base64.StdEncoding.EncodeToString(sum))
	return c.shake("application/json", append(body, '}'))
}

// notInToken says that no CRC token has this character. A quote or a brace
// would let a stranger have a JSON body signed.
func notInToken(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	default:
		return !strings.ContainsRune("+/=_-.~", r)
	}
}

func (c *Check) shake(contentType string, body []byte) *Verdict {
	c.close()
	return &Verdict{
		Kind: Answer, Outcome: Shaken, Status: 200, Secret: -1, Assurance: c.verdict.Assurance,
		Header: []Field{{"Content-Type", contentType}, {"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}},
		Body:   body,
	}
}

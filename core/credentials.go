package core

import (
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/hookward/hookward/core/hex"
	"github.com/hookward/hookward/core/internal/form"
	"github.com/hookward/hookward/core/provider"
)

// readCredentials finds the signature or token and decodes it: a request
// without one is turned away before its body is read.
func (c *Check) readCredentials() (code Code) {
	auth := &c.gate.provider.Auth
	if auth.IsToken() {
		code = c.readToken(auth)
	} else {
		code = c.readSignatures(auth)
	}
	if code != "" {
		c.note("expected", auth.Places())
	}
	if code == SignatureMalformed {
		c.note("form", formOf(auth))
	}
	return code
}

// formOf says in words what a signature or token looks like.
func formOf(auth *provider.Auth) string {
	size, form := hashSizes[auth.Algorithm], ""
	switch auth.Encoding {
	case provider.Hex:
		form = say("%d hex digits", hex.EncodedLen(size))
	case provider.Base64:
		form = say("%d characters of base64", base64.StdEncoding.EncodedLen(size))
	default:
		return "a single one"
	}
	switch {
	case auth.Prefix == "":
	case auth.PrefixOptional:
		form += ", with or without " + auth.Prefix + " before them"
	default:
		form = auth.Prefix + " and " + form
	}
	return "a single one: " + form
}

func (c *Check) readSignatures(auth *provider.Auth) Code {
	found := false
	c.signatures = c.signatureRoom[:0]
	for _, name := range auth.Headers {
		values := c.head.Header.Values(name)
		if len(values) == 0 || (len(values) == 1 && values[0] == "") {
			continue
		}
		if len(values) > 1 {
			return SignatureMalformed
		}
		found = true
		var sig signature
		if sig.decode(auth, values[0]) {
			c.signatures = append(c.signatures, sig)
		}
	}
	switch {
	case !found:
		return SignatureMissing
	case len(c.signatures) == 0:
		return SignatureMalformed
	}
	return ""
}

// readToken takes the token from the header or the query, and refuses more
// than one instead of choosing.
func (c *Check) readToken(auth *provider.Auth) Code {
	var all []string
	for _, name := range auth.Headers {
		all = append(all, c.head.Header.Values(name)...)
	}
	if auth.Query != "" {
		_, query, _ := strings.Cut(c.head.Target, "?")
		all = append(all, queryValues(query, auth.Query)...)
	}
	switch {
	case len(all) == 0, len(all) == 1 && all[0] == "":
		return SignatureMissing
	case len(all) > 1:
		return SignatureMalformed
	}
	c.token = all[0]
	return ""
}

var hashSizes = map[provider.Algorithm]int{
	provider.SHA256: sha256Size,
	provider.SHA1:   20,
}

// sha256Size is that of the longest hash.
const sha256Size = 32

// signature is a decoded signature, as long as the provider's hash is.
type signature [sha256Size]byte

// decode reads a signature that has exactly the length and form that the
// provider documents.
func (s *signature) decode(auth *provider.Auth, text string) bool {
	text, had := strings.CutPrefix(text, auth.Prefix)
	if !had && !auth.PrefixOptional {
		return false
	}
	size := hashSizes[auth.Algorithm]
	switch auth.Encoding {
	case provider.Hex:
		if len(text) != hex.EncodedLen(size) {
			return false
		}
		_, err := hex.Decode(s[:], text)
		return err == nil
	case provider.Base64:
		if len(text) != base64.StdEncoding.EncodedLen(size) {
			return false
		}
		var sum [sha256Size + 2]byte // Decode wants room for the padding
		n, err := strictBase64.Decode(sum[:], []byte(text))
		copy(s[:], sum[:])
		return err == nil && n == size
	default:
		return false
	}
}

// strictBase64 takes one spelling of a signature.
var strictBase64 = base64.StdEncoding.Strict()

// authenticate holds the credentials against the body and sets the deliveryId.
func (c *Check) authenticate(body []byte) Code {
	auth := &c.gate.provider.Auth
	var (
		digest [sha256Size]byte // of what is signed
		hashed bool
		code   Code
	)
	switch {
	case auth.IsToken():
		c.signed, code = body, c.matchToken()
	case auth.Signed == provider.RawBody:
		c.signed, hashed = body, true
		digest, code = c.matchBody(body)
	case auth.Signed == provider.URLAndForm:
		code = c.matchURL(body)
	default:
		code = SignatureMismatch
	}
	if code != "" {
		if code == SignatureMismatch {
			c.noteMismatch(body)
		}
		return code
	}
	if !hashed {
		digest = sum256(c.signed)
	}
	hex.Encode(c.room.delivery[:], digest[:16])
	c.verdict.Delivery = readOnlyString(c.room.delivery[:])
	return ""
}

// matchToken looks at all secrets, so that the time taken does not tell which
// one matched.
func (c *Check) matchToken() Code {
	for i, secret := range c.gate.tokens {
		if subtle.ConstantTimeCompare([]byte(c.token), []byte(secret)) == 1 && c.verdict.Secret < 0 {
			c.verdict.Secret = i
		}
	}
	if c.verdict.Secret < 0 {
		return SignatureMismatch
	}
	return ""
}

// matchBody gives the body's digest, too: it is cheaper to have with the HMAC
// under the first secret, which almost always is the one.
func (c *Check) matchBody(body []byte) (digest [sha256Size]byte, code Code) {
	for i, m := range c.gate.macs {
		var sum []byte
		if i == 0 {
			sum, digest = m.sumBoth(c.sum[:0], body)
		} else {
			sum = m.sum(c.sum[:0], body)
		}
		if c.isSignature(sum) {
			c.verdict.Secret = i
			return digest, ""
		}
	}
	return digest, SignatureMismatch
}

// isSignature says that one of the signatures is the HMAC.
func (c *Check) isSignature(sum []byte) bool {
	ok := 0
	for i := range c.signatures {
		ok |= subtle.ConstantTimeCompare(sum, c.signatures[i][:len(sum)])
	}
	return ok == 1
}

// queryValues are the decoded values of a query parameter.
func queryValues(query, name string) (values []string) {
	for part := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(part, "=")
		if form.Unescape(key) == name {
			values = append(values, form.Unescape(value))
		}
	}
	return values
}

// WithoutToken is a query without the parameter in which the provider's token
// may stand: for a host that forwards another query than the one it received.
func (g *Gate) WithoutToken(query string) string {
	name := g.provider.Auth.Query
	if name == "" {
		return query
	}
	_, query, _ = strings.Cut(withoutQueryParameter("?"+query, name), "?")
	return query
}

// withoutQueryParameter is the target without a query parameter, the rest as it
// was received.
func withoutQueryParameter(target, name string) string {
	path, query, ok := strings.Cut(target, "?")
	if !ok {
		return target
	}
	var rest []string
	for part := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(part, "=")
		if form.Unescape(key) != name {
			rest = append(rest, part)
		}
	}
	if len(rest) == 0 {
		return path
	}
	return path + "?" + strings.Join(rest, "&")
}

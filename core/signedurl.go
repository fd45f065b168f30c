package core

import (
	"bytes"
	"iter"
	"net/netip"
	"strconv"
	"strings"

	"github.com/hookward/hookward/core/hex"
	"github.com/hookward/hookward/core/internal/form"
	"github.com/hookward/hookward/core/provider"
)

// setPublicURL checks the URL and keeps it letter for letter, since the
// signature is computed over the letters that the provider was given.
func (g *Gate) setPublicURL(p *problems, text string) {
	signsURL := g.provider.Auth.Signed == provider.URLAndForm
	if text == "" {
		if signsURL {
			g.notes = append(g.notes, "public_url is not set: the URL that is signed is put together from the request, which is right only where this host ends TLS itself or trusts the proxy that does")
		}
		return
	}
	if !signsURL && g.provider != anyProvider {
		g.notes = append(g.notes, "public_url is not used: "+g.provider.Name+" does not sign the URL")
	}
	switch {
	case !isWebURL(text):
		p.add("public_url", "%smust be the URL that %s was given, up to the path, such as https://example.com", quotedURL(text), g.provider.Name)
		return
	case strings.ContainsAny(text, "?#"):
		p.add("public_url", "%smust end before the query: it is scheme, host and port, and a path prefix that a proxy before this one strips", quotedURL(text))
		return
	}
	g.publicURL = strings.TrimSuffix(text, "/")
	if signsURL && urlPath(g.publicURL) != "" {
		g.notes = append(g.notes, say("public_url ends in a path: it is put before the path of every request, which is right only where a proxy before this one strips %q; if none does, end it before the path", urlPath(g.publicURL)))
	}
}

// urlPath is the path of an absolute URL, "" if it has none.
func urlPath(u string) string {
	_, rest, _ := strings.Cut(u, "://")
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		return ""
	}
	return rest[slash:]
}

// noteDoubledPath tells of the commonest slip: public_url is the whole URL that
// the provider was given, and the path stands in what was tried twice.
func (c *Check) noteDoubledPath() {
	path, _, _ := strings.Cut(c.head.Target, "?")
	if path != "/" && strings.HasSuffix(urlPath(c.gate.publicURL), path) {
		c.note("hint", "public_url ends in the request's own path, which then stands in the URL twice: end it before the path")
	}
}

// isWebURL says that a text is an absolute URL of the web. It is stricter than
// net/url.Parse, which is too large for hookward.wasm.
func isWebURL(text string) bool {
	scheme, rest, _ := strings.Cut(text, "://")
	if !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return false
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, path := rest[:end], rest[end:]
	host := authority[strings.LastIndexByte(authority, '@')+1:]
	name := withoutPort(host)
	if name != host && !isPort(host[len(name)+1:]) {
		return false
	}
	if inner, bracketed := strings.CutPrefix(name, "["); bracketed {
		addr, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil && addr.Is6() && strings.HasSuffix(name, "]") && isPath(path)
	}
	return name != "" && !strings.ContainsAny(name, ":[]%\\^`{|}<>\"") && isPath(authority) && isPath(path)
}

func isPort(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
}

// isPath says that a part of a URL holds no space or control character and no
// broken percent-encoding.
func isPath(text string) bool {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c <= ' ', c == 0x7f:
			return false
		case c == '%':
			if i+2 >= len(text) {
				return false
			}
			_, high := hex.Digit(text[i+1])
			_, low := hex.Digit(text[i+2])
			if !high || !low {
				return false
			}
		}
	}
	return true
}

// quotedURL is the URL for an error's text, unless it may hold a password.
func quotedURL(text string) string {
	if strings.Contains(text, "@") {
		return ""
	}
	return strconv.Quote(text) + " "
}

// signedURL is the URL that the sender called, as it was configured with the
// provider, "" where nobody knows it.
func (c *Check) signedURL() string {
	switch {
	case c.gate.publicURL != "":
		return c.gate.publicURL + c.head.Target
	case c.head.Scheme != "" && c.head.Host != "":
		return c.head.Scheme + "://" + c.head.Host + c.head.Target
	default:
		return ""
	}
}

// matchURL verifies Twilio's signature: over the URL and the form, or over a
// URL that holds the body's SHA-256.
func (c *Check) matchURL(body []byte) Code {
	signedURL := c.signedURL()
	if signedURL == "" {
		c.note("set", "public_url, to the URL that the provider was given up to the path")
		return HostMisconfigured
	}
	parameters, code := c.signedParameters(body)
	if code != "" {
		return code
	}
	message := make([]byte, 0, len(signedURL)+len(":443")+len(parameters))
	for u := range urlVariants(signedURL) {
		message = append(append(message[:0], u...), parameters...)
		for i, m := range c.gate.macs {
			if c.isSignature(m.sum(c.sum[:0], message)) {
				c.verdict.Secret, c.signed = i, message
				return ""
			}
		}
	}
	return SignatureMismatch
}

// signedParameters is what follows the URL in the signed string. What covers
// the body also says how it is read, since nobody signs the Content-Type.
func (c *Check) signedParameters(body []byte) ([]byte, Code) {
	_, query, _ := strings.Cut(c.head.Target, "?")
	sums := queryValues(query, "bodySHA256")
	switch {
	case c.get:
		if len(body) > 0 {
			return nil, SignatureMismatch // no signature covers it
		}
		return nil, ""
	case len(sums) > 0:
		want, err := hex.DecodeString(sums[0])
		sum := sum256(body)
		if len(sums) > 1 || err != nil || !bytes.Equal(want, sum[:]) {
			return nil, SignatureMismatch
		}
		c.covered = provider.JSON
		return nil, ""
	case !c.isForm(): // and only a form or bodySHA256 is covered
		c.noteText("content_type", c.mediaType())
		return nil, SignatureMismatch
	}
	f, ok := form.Parse(readOnlyString(body))
	if !ok {
		return nil, SignatureMalformed
	}
	c.form, c.covered = f, provider.Form
	return canonicalForm(f), ""
}

// canonicalForm runs names and values together, sorted by name; a repeated
// name's values are de-duplicated and sorted.
func canonicalForm(f form.Form) []byte {
	sorted, size := make([]form.Pair, 0, len(f)), 0
	for _, p := range f {
		if i, found := place(sorted, p); !found {
			sorted = append(sorted, p)
			copy(sorted[i+1:], sorted[i:])
			sorted[i] = p
			size += len(p.Name) + len(p.Value)
		}
	}
	out := make([]byte, 0, size)
	for _, p := range sorted {
		out = append(append(out, p.Name...), p.Value...)
	}
	return out
}

// place is where a pair stands or belongs among sorted ones. (slices.SortFunc
// would make hookward.wasm larger.)
func place(sorted []form.Pair, p form.Pair) (i int, found bool) {
	low, high := 0, len(sorted)
	for low < high {
		middle := (low + high) / 2
		switch q := &sorted[middle]; {
		case q.Name < p.Name, q.Name == p.Name && q.Value < p.Value:
			low = middle + 1
		case *q == p:
			return middle, true
		default:
			high = middle
		}
	}
	return low, false
}

// urlVariants are the ways in which Twilio may have written the URL: with the
// port as it is, without it, and with the scheme's default port; each also with
// an apostrophe as %27. See the note on ports in
// https://www.twilio.com/docs/usage/webhooks/webhooks-security
func urlVariants(u string) iter.Seq[string] {
	return func(yield func(string) bool) {
		both := func(u string) bool {
			return yield(u) && (!strings.Contains(u, "'") || yield(strings.ReplaceAll(u, "'", "%27")))
		}
		if !both(u) {
			return
		}
		scheme, rest, _ := strings.Cut(u, "://")
		end := strings.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		authority, tail := rest[:end], rest[end:]
		bare := withoutPort(authority)
		if bare != authority && !both(scheme+"://"+bare+tail) {
			return
		}
		port := ":443"
		if strings.EqualFold(scheme, "http") {
			port = ":80"
		}
		if bare+port != authority {
			both(scheme + "://" + bare + port + tail)
		}
	}
}

// withoutPort cuts the port off an authority, and leaves user info and the
// brackets of an IPv6 address.
func withoutPort(authority string) string {
	colon := strings.LastIndexByte(authority, ':')
	if colon < strings.LastIndexByte(authority, '@') || colon < strings.LastIndexByte(authority, ']') || colon < 0 {
		return authority
	}
	return authority[:colon]
}

// withoutQueryValues is a URL fit for a log: user info is cut, and of the query
// only the names remain.
func withoutQueryValues(u string) string {
	scheme, rest, _ := strings.Cut(u, "://")
	rest, query, had := strings.Cut(rest, "?")
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		slash = len(rest)
	}
	if at := strings.LastIndexByte(rest[:slash], '@'); at >= 0 {
		rest = rest[at+1:]
	}
	if !had {
		return scheme + "://" + rest
	}
	var names []string
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		names = append(names, name+"=…")
	}
	return scheme + "://" + rest + "?" + strings.Join(names, "&")
}

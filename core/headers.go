package core

import "strings"

// The header fields that a backend receives from us.
const (
	headerVersion     = "X-Hookward-Version"
	headerEndpoint    = "X-Hookward-Endpoint"
	headerProvider    = "X-Hookward-Provider"
	headerDelivery    = "X-Hookward-Delivery"
	headerEvent       = "X-Hookward-Event"
	headerAssurance   = "X-Hookward-Assurance"
	headerReplay      = "X-Hookward-Replay"
	headerWouldReject = "X-Hookward-Would-Reject"
	// headerDuplicate is in the answer to a sender.
	headerDuplicate = "X-Hookward-Duplicate"
)

const reservedPrefix = "x-hookward-"

// Reserved says that a header or trailer field is ours, in any spelling that a
// backend may fold together: in any case, with _ or . for -. A host removes
// such fields from every request before a backend sees it.
func Reserved(name string) bool {
	if len(name) < len(reservedPrefix) {
		return false
	}
	for i := range len(reservedPrefix) {
		c := name[i]
		switch {
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		case c == '_', c == '.':
			c = '-'
		}
		if c != reservedPrefix[i] {
			return false
		}
	}
	return true
}

// hopByHop are the fields that concern one connection or the framing of one
// body. A Connection that names one of ours would have it removed after us. A
// verdict may set one anew that it removes.
var hopByHop = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect"}

// bodyFields describe a body that is replaced.
var bodyFields = []string{"Content-Encoding", "Content-Md5", "Digest", "Content-Digest", "Repr-Digest", "Signature", "Signature-Input"}

// overrideFields have a backend's framework take the request for one of another
// method or at another path than those that the gate has looked at. No provider
// sends them, and no signature covers them: who has captured a delivery could
// send it to any handler.
var overrideFields = []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override", "X-Original-Url", "X-Rewrite-Url"}

// removed are the fields that go from a forwarded request: of those above, what
// the output leaves no use for; the provider's signature or token, if it is not
// the original; and those that the gate signs with itself.
func (g *Gate) removed() []string {
	names := append(append([]string(nil), hopByHop...), overrideFields...)
	if !g.original {
		names = append(names, bodyFields...)
		names = append(names, g.provider.Auth.Headers...)
		names = append(names, g.provider.Auth.Legacy...)
	}
	if len(g.signWith) > 0 {
		names = append(names, headerWebhookID, headerWebhookTimestamp, headerWebhookSignature)
	}
	return names
}

// safeFieldValue is s as a header value: printable ASCII, and not for ever.
func safeFieldValue(s string) string {
	const longest = 128
	if len(s) <= longest && isPrintable(s) {
		return s
	}
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '_'
		}
		return r
	}, s)
	return clean[:min(len(clean), longest)]
}

func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

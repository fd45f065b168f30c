package core

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/hookward/hookward/core/provider"
	"github.com/hookward/hookward/core/unified"
)

// Head is a request without its body, as the host received it.
type Head struct {
	Method string
	// Scheme and Host are those that the sender used, as far as the host can
	// vouch for them: from its own TLS, or from a proxy that it trusts. Host
	// holds the port if the sender gave one. An empty Scheme says that the host
	// does not know.
	Scheme, Host string
	// Target is path and query as they were received, before any rewriting.
	Target string
	// Client is the sender's address, the zero Addr if it is unknown.
	Client netip.Addr
	// Header is the request's header; http.Header is one.
	Header Header
	// ContentLength is the announced length of the body, -1 if there is none.
	ContentLength int64
	// Instance makes the correlation id under which the host logs the request;
	// it is called for a rejection only.
	Instance func() string
}

// Header gives the values of all fields of a name, which is in the canonical
// form of net/http, in the order in which they were received.
type Header interface {
	Values(name string) []string
}

// BodyEnd is how a body ended. The zero BodyEnd refuses.
type BodyEnd uint8

// The ends of a body.
const (
	// BodyBroken: it ended early, or stalled.
	BodyBroken BodyEnd = iota
	// BodyOverLimit: it is longer than the gate's MaxBody, or than the host
	// takes; the rest was not read.
	BodyOverLimit
	// BodyComplete: it is there whole.
	BodyComplete
)

// Check is the examination of one request, in steps: Begin looks at the head,
// Body at the body, Claimed at what the replay store said. Each step ends with
// a verdict or asks for the next step. A Check serves one request and is not
// safe for concurrent use.
type Check struct {
	gate     *Gate
	*scratch         // nil once there is a verdict
	verdict  Verdict // what is known so far

	// Memory of the usual verdict, allocated with the Check at once: it lives as
	// long as the host keeps the verdict.
	room struct {
		delivery [32]byte
		text     [40]byte // for the mapping's joined texts
		set      [7]Field
		types    [1]string
		hold     [1]Key
	}
}

// Begin examines the head. Without a verdict the host reads the body, at most
// MaxBody bytes of it, and calls Body.
func (g *Gate) Begin(now time.Time, head Head) (*Check, *Verdict) {
	c := &Check{gate: g, scratch: g.scratch.get()}
	c.verdict.Assurance, c.verdict.Secret = "none", -1
	c.now, c.head = now, head
	p := g.provider
	c.get = head.Method == "GET" && p.TakesMethod("GET")
	handshake := head.Method == "GET" && p.Handshake != nil
	if !handshake && !p.TakesMethod(head.Method) {
		c.noteText("method", head.Method)
		v := c.reject(MethodNotAllowed)
		if v.Kind == Refuse {
			v.setHeader("Allow", g.allowedMethods())
		}
		return c, v
	}
	if !g.allows(head.Client) {
		c.noteClient()
		return c, c.reject(IPDenied)
	}
	if g.rate != nil {
		if wait, ok := g.rate.take(now, head.Client); !ok {
			v := c.reject(RateLimited)
			if v.Kind == Refuse {
				v.setHeader("Retry-After", retryAfter(wait))
			}
			return c, v
		}
	}
	if handshake {
		return c, c.handshake()
	}
	if head.ContentLength > g.maxBody {
		c.note("body_bytes", strconv.FormatInt(head.ContentLength, 10))
		c.note("max_body", strconv.FormatInt(g.maxBody, 10))
		return c, c.reject(BodyTooLarge)
	}
	for _, coding := range head.Header.Values("Content-Encoding") {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			c.noteText("content_encoding", coding)
			return c, c.reject(ContentEncodingUnsupported)
		}
	}
	if code := c.readCredentials(); code != "" {
		return c, c.reject(code)
	}
	return c, nil
}

// Body examines the body, which must not change afterwards. Without a verdict
// the host claims Keys and calls Claimed.
func (c *Check) Body(body []byte, end BodyEnd) *Verdict {
	switch {
	case end == BodyOverLimit, int64(len(body)) > c.gate.maxBody:
		c.note("max_body", strconv.FormatInt(c.gate.maxBody, 10))
		return c.reject(BodyTooLarge)
	case end != BodyComplete:
		return c.reject(BodyIncomplete)
	case c.scratch == nil: // the host is out of step: the credentials are gone
		return c.reject(SignatureMismatch)
	}
	if code := c.authenticate(body); code != "" {
		return c.reject(code)
	}
	c.verdict.Assurance, c.rawBody = c.gate.provider.Auth.Assurance(), body
	return c.readEvents(body)
}

// reject is the verdict for a code: the answer, or, where the gate only
// reports, the request passed on with the code.
func (c *Check) reject(code Code) *Verdict {
	var v *Verdict
	if c.gate.reportOnly {
		v = c.report(code)
	} else {
		v = reject(code, c.instance())
		c.describe(v)
	}
	c.close()
	return v
}

// describe says in a verdict what is known of the delivery by now.
func (c *Check) describe(v *Verdict) {
	known := &c.verdict
	v.Delivery, v.Assurance, v.Secret, v.Tried = known.Delivery, known.Assurance, known.Secret, known.Tried
}

func (c *Check) instance() string {
	if c.scratch == nil || c.head.Instance == nil {
		return ""
	}
	return c.head.Instance()
}

// report is the verdict of a gate that only reports: all as it came, marked. An
// empty code says that nothing was wrong.
func (c *Check) report(code Code) *Verdict {
	v := &Verdict{Kind: Forward, Outcome: Accepted, Code: code, Remove: hopByHop}
	c.describe(v)
	v.Set = append(c.marks(), Field{headerAssurance, v.Assurance})
	if upgrade := c.head.Header.Values("Upgrade"); len(upgrade) == 1 && strings.EqualFold(upgrade[0], "websocket") {
		// A gate that only reports may stand before a whole site. Other protocols
		// (h2c) would get around the host.
		v.Set = append(v.Set, Field{"Connection", "Upgrade"}, Field{"Upgrade", upgrade[0]})
	}
	if v.Delivery != "" {
		v.Set = append(v.Set, Field{headerDelivery, v.Delivery})
	}
	if code != "" {
		v.Outcome = WouldReject
		v.Set = append(v.Set, Field{headerWouldReject, string(code)})
	}
	return v
}

func (g *Gate) allowedMethods() string {
	allow := ""
	for _, m := range g.provider.DeliveryMethods() {
		if allow != "" {
			allow += ", "
		}
		allow += m
	}
	if g.provider.Handshake != nil && !g.provider.TakesMethod("GET") {
		allow = "GET, " + allow
	}
	return allow
}

// note keeps a fact for the operator's log.
func (c *Check) note(name, value string) {
	c.verdict.Tried = append(c.verdict.Tried, Field{name, value})
}

// noteText keeps what the sender wrote, as much of it as tells.
func (c *Check) noteText(name, text string) {
	const enough = 40
	c.note(name, text[:min(len(text), enough)])
}

// noteClient says whom the host took the client for: behind a proxy that is not
// trusted it is the proxy.
func (c *Check) noteClient() {
	client := "unknown"
	if c.head.Client.IsValid() {
		client = c.head.Client.String()
	}
	c.note("client", client)
}

// noteAge says how old an event is by its signed time.
func (c *Check) noteAge(e *unified.Event) {
	c.note("event_age", inWords(c.now.Sub(e.Time).Round(time.Second)))
}

// noteMismatch says what the signature was held against.
func (c *Check) noteMismatch(body []byte) {
	c.note("body_bytes", strconv.Itoa(len(body)))
	c.note("secrets_tried", strconv.Itoa(len(c.gate.macs)+len(c.gate.tokens)))
	if c.gate.provider.Auth.Signed == provider.URLAndForm {
		c.note("url_tried", withoutQueryValues(c.signedURL()))
		c.noteDoubledPath()
	}
}

package hookward

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookward/hookward/core"
)

// ServeHTTP hands the request to the core step by step and carries out its
// verdict.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	stripReserved(r)
	if r.TLS != nil && !r.TLS.HandshakeComplete {
		// A request in TLS early data can be replayed below us; Caddy's
		// client_ip matcher answers the same.
		return caddyhttp.Error(http.StatusTooEarly, errors.New("TLS handshake not complete"))
	}
	d := &delivery{gate: g, r: r, start: time.Now()}
	vars := variables(r)
	if !passOnce(vars) {
		g.log.Error("two verify_webhook handlers match one request: give each endpoint its own handle block", d.fields()...)
		return caddyhttp.Error(http.StatusInternalServerError, errors.New("request has passed a webhook gate already"))
	}
	g.metrics.inFlight.Inc()
	defer g.metrics.inFlight.Dec()

	check, verdict := g.gate.Begin(d.start, g.head(r, vars, d))
	if verdict == nil {
		body, end := g.readBody(r)
		d.received, d.whole = body, end == core.BodyComplete
		verdict = check.Body(body, end)
	}
	if verdict == nil {
		verdict = d.claim(check)
	}
	d.verdict = verdict
	d.publish()
	if verdict.Kind != core.Forward {
		d.settle(core.ReleaseClaims)
		return d.answer(w)
	}
	return d.forward(w, next)
}

// head is the request as the sender sent it: before any rewriting, and with
// what a trusted proxy says of it.
func (g *Gate) head(r *http.Request, vars map[string]any, d *delivery) core.Head {
	h := core.Head{
		Method: r.Method, Host: r.Host, Target: r.RequestURI,
		Header: header(r.Header), ContentLength: r.ContentLength, Client: clientAddr(vars),
		Instance: d.instance,
	}
	if original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request); ok {
		h.Method, h.Target = original.Method, original.RequestURI
	}
	h.Target = originForm(h.Target)
	if r.TLS != nil {
		h.Scheme = "https"
	}
	if trusted, _ := vars[caddyhttp.TrustedProxyVarKey].(bool); trusted {
		if proto := r.Header.Values("X-Forwarded-Proto"); len(proto) == 1 {
			h.Scheme = proto[0]
		}
		if host := r.Header.Values("X-Forwarded-Host"); len(host) == 1 {
			h.Host = host[0]
		}
	}
	return h
}

// header is looked into by canonical names, which need not be made so each time.
type header http.Header

// Values implements core.Header.
func (h header) Values(name string) []string { return h[name] }

// originForm is the path and query of a target that may be a whole URL, as it
// is in a request to a proxy.
func originForm(target string) string {
	_, rest, absolute := strings.Cut(target, "://")
	if !absolute || target[0] == '/' {
		return target
	}
	slash := strings.IndexAny(rest, "/?")
	switch {
	case slash < 0:
		return "/"
	case rest[slash] == '?':
		return "/" + rest[slash:]
	}
	return rest[slash:]
}

// clientAddr is the sender's address as Caddy determines it; the zero Addr
// where there is none, as on a unix socket.
func clientAddr(vars map[string]any) netip.Addr {
	text, _ := vars[caddyhttp.ClientIPVarKey].(string)
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return addr
}

// readBody reads the body up to the gate's limit, and one byte more to see that
// there is no more.
func (g *Gate) readBody(r *http.Request) ([]byte, core.BodyEnd) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, core.BodyComplete
	}
	limit := g.gate.MaxBody()
	const firstRead = 4 << 10
	size := int64(firstRead)
	if r.ContentLength >= 0 {
		size = min(r.ContentLength, limit)
	}
	body := make([]byte, 0, min(size, 64<<10)+1)
	for {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return body, core.BodyOverLimit
		case err == io.EOF:
			return body, core.BodyComplete
		case err != nil:
			if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
				return body, core.BodyOverLimit
			}
			return body, core.BodyBroken
		}
	}
}

// delivery is one request on its way through a gate.
type delivery struct {
	gate     *Gate
	r        *http.Request
	start    time.Time
	took     time.Duration // in the gate
	received []byte        // the body, or as much of it as was read
	whole    bool          // the body has been read to its end
	verdict  *core.Verdict
	claims   claims

	// On the way to the backend.
	body    bytes.Reader
	watcher watcher
}

// instance is the correlation id: Caddy's {http.request.uuid}, which the access
// log has, too.
func (d *delivery) instance() string {
	repl, ok := d.r.Context().Value(caddy.ReplacerCtxKey).(*caddy.Replacer)
	if !ok {
		return ""
	}
	id, _ := repl.GetString("http.request.uuid")
	return "urn:uuid:" + id
}

// answer writes the gate's own answer to the sender.
func (d *delivery) answer(w http.ResponseWriter) error {
	if d.verdict.Status == 0 {
		d.verdict = core.Misconfigured(d.instance())
	}
	for _, f := range d.verdict.Header {
		w.Header().Set(f.Name, f.Value)
	}
	if d.r.ProtoMajor == 1 && !d.whole && d.r.ContentLength != 0 {
		// What is left of the body would be taken for the next request, or be
		// read for nothing. HTTP/2 and 3 end the stream alone.
		closeInPeace(w)
	}
	w.WriteHeader(d.verdict.Status)
	// A failed write means that the sender has gone: nobody is left to tell.
	_, _ = w.Write(d.verdict.Body)
	return nil
}

// closeInPeace closes the connection after the answer so that a sender in the
// middle of its body gets to read the answer: to close with data unread resets
// the connection (RFC 9112, 9.6). net/http closes in two steps when it sees that
// a body of its own type was left unread, but Caddy's timeouts wrap the body. It
// does so, too, when a MaxBytesReader has passed its limit: one does, here.
func closeInPeace(w http.ResponseWriter) {
	// net/http reads what is left of a small body before it closes, and Caddy
	// would let it wait for a minute.
	const wait = 5 * time.Second
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(wait))
	for {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			break
		}
		w = wrapper.Unwrap()
	}
	_, _ = http.MaxBytesReader(w, io.NopCloser(strings.NewReader("more")), 0).Read(make([]byte, 1))
	w.Header().Set("Connection", "close")
}

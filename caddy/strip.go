package hookward

import (
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookward/hookward/core"
)

func init() {
	caddy.RegisterModule(Strip{})
}

// Strip removes every X-Hookward-* field that a client sent, in any spelling,
// from the header and the trailers of requests that have not passed a gate.
// The directive verify_webhook places it before its gate by itself; whoever
// writes Caddy's JSON places it before the routes of all backends that trust
// these fields.
type Strip struct{}

// CaddyModule returns the Caddy module information.
func (Strip) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.webhook_strip",
		New: func() caddy.Module { return new(Strip) },
	}
}

func (Strip) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if !hasPassed(r) {
		stripReserved(r)
	}
	return next.ServeHTTP(w, r)
}

// passedVar marks in the request's variables, which no client can set, that a
// gate has seen the request: what is there now is ours.
const passedVar = "hookward_gate_passed"

func hasPassed(r *http.Request) bool {
	passed, _ := caddyhttp.GetVar(r.Context(), passedVar).(bool)
	return passed
}

// passOnce marks the request; it is false if it was marked before.
func passOnce(r *http.Request) bool {
	if hasPassed(r) {
		return false
	}
	caddyhttp.SetVar(r.Context(), passedVar, true)
	return true
}

func stripReserved(r *http.Request) {
	deleteReserved(r.Header)
	if len(r.Trailer) > 0 && r.Body != nil {
		deleteReserved(r.Trailer)
		r.Body = &trailerStripper{r.Body, r.Trailer}
	}
}

func deleteReserved(h http.Header) {
	for name := range h {
		if core.Reserved(name) {
			delete(h, name)
		}
	}
}

// trailerStripper removes our fields from the trailers at the moment at which
// net/http has read them: with the end of the body.
type trailerStripper struct {
	io.ReadCloser
	trailer http.Header
}

func (s *trailerStripper) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	if err != nil {
		deleteReserved(s.trailer)
	}
	return n, err
}

var _ caddyhttp.MiddlewareHandler = Strip{}

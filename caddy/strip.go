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
// A directive verify_webhook with a matcher places it before its gate; whoever
// writes Caddy's JSON places it before the routes of all backends that trust
// these fields, those of errors.routes included.
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

// passedVar marks in the request's variables that a gate has seen the request:
// what is there now is ours. Neither a client nor the directive vars can set a
// value of the type passedMark.
const passedVar = "hookward_gate_passed"

type passedMark struct{}

func hasPassed(r *http.Request) bool {
	_, passed := variables(r)[passedVar].(passedMark)
	return passed
}

// passOnce marks the request of these variables; it is false if it was marked
// before.
func passOnce(vars map[string]any) bool {
	if _, passed := vars[passedVar].(passedMark); passed {
		return false
	}
	vars[passedVar] = passedMark{}
	return true
}

// variables are those that Caddy's server has given the request.
func variables(r *http.Request) map[string]any {
	vars, _ := r.Context().Value(caddyhttp.VarsCtxKey).(map[string]any)
	return vars
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

// stripOnWholeServer lets the server that is being provisioned strip every
// request before any of its routes sees it: a path that no gate covers may lead
// to the same backend, which would take a forged field for the gate's. A server
// has no hook for that; the first thing that it does with a request is to ask
// the matchers of its first route.
//
// It comes too late for a gate in a named route, which is provisioned when the
// server's routes are compiled: there the gate's own block is all that is
// covered, and webhook_strip is for the rest.
func stripOnWholeServer(ctx caddy.Context) {
	server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok {
		return
	}
	stripFirst(server.Routes)
	if server.Errors != nil {
		// A request that Caddy refuses by itself, for a Host or a method that is
		// none, meets no other routes than these.
		stripFirst(server.Errors.Routes)
	}
}

// stripFirst puts a stripper before the first of routes, whose own matchers may
// or may not have been provisioned.
func stripFirst(routes caddyhttp.RouteList) {
	if len(routes) == 0 {
		return
	}
	first := &routes[0]
	if len(first.MatcherSets) > 0 && len(first.MatcherSets[0]) == 1 {
		if _, done := first.MatcherSets[0][0].(stripper); done {
			return
		}
	}
	all := len(first.MatcherSets) == 0 && len(first.MatcherSetsRaw) == 0
	first.MatcherSets = append(caddyhttp.MatcherSets{{stripper{matches: all}}}, first.MatcherSets...)
}

// stripper is a matcher that strips what it is asked about. It matches where
// the route that it is put before has no matcher, and so takes all.
type stripper struct{ matches bool }

// MatchWithError implements caddyhttp.RequestMatcherWithError.
func (s stripper) MatchWithError(r *http.Request) (bool, error) {
	stripReserved(r)
	return s.matches, nil
}

var (
	_ caddyhttp.MiddlewareHandler       = Strip{}
	_ caddyhttp.RequestMatcherWithError = stripper{}
)

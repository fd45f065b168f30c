package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/envoy-wasm/bridge"
)

// stage is how far a request has come. The zero stage stops it.
type stage uint8

const (
	// stopped: answered by us, or it could not be; nothing of it passes.
	stopped stage = iota
	// waiting: held until all of it is there.
	held
	// asking: held, too, until a remote store has answered.
	asking
	// passing: it has its verdict, or stands at no gate.
	passing
)

// stream is one request and its answer.
type stream struct {
	injected
	context httpContext
	plugin  *plugin
	id      uint32

	route  *route // nil at no gate
	stage  stage
	start  time.Time
	fields header // the request's, pseudo fields included
	size   int    // of the body, as far as it has come
	noBody bool   // the headers ended the request
	filled bool   // the body stands for none
	check  *core.Check
	uuid   string

	verdict   *core.Verdict
	claims    claims
	status    int  // of the answer, 0 as long as there is none
	whole     bool // the answer's end has come
	byEnvoy   bool // a success that is not the backend's
	answered  bool // by us
	published bool
	ended     bool
	trailers  bool // the request's are held, too
	watched   watched
}

// requestHeaders begins the check. A request that is to be verified is held
// here, in any case: with Continue its headers would reach the backend before
// the verdict.
func (s *stream) requestHeaders(end bool) types.Action {
	fields, err := bridge.RequestHeaders(s.plugin.memory.fields.get())
	if err != nil {
		return s.fail("the request's header can't be read", err)
	}
	s.fields, s.noBody = fields, end
	i := s.plugin.router.Match(s.fields.first(":path"))
	if i < 0 {
		return s.passUngated()
	}
	s.begin(s.plugin.routes[i])
	if err := s.hideQuery(); err != nil {
		return s.fail("a secret in the query can't be hidden", err)
	}
	check, verdict := s.route.gate.Begin(s.start, s.head())
	switch {
	case verdict != nil && verdict.Kind == core.Forward && s.mayBeFilled():
		s.verdict = verdict // the filler goes before the request does
	case verdict != nil:
		return s.carryOut(verdict)
	case end:
		s.check = check
		return s.decide(nil)
	}
	s.check, s.stage = check, held
	s.plugin.waiting.add(s)
	return types.ActionPause
}

// hideQuery keeps a secret in the query from access logs and traces, which show
// the request's header as it is when the stream ends, whoever answers: forward
// sets the path anew.
func (s *stream) hideQuery() error {
	path, query, _ := strings.Cut(s.fields.first(":path"), "?")
	if query == "" || !s.route.gate.SecretInQuery() {
		return nil
	}
	return proxywasm.ReplaceHttpRequestHeader(":path", path)
}

func (s *stream) begin(r *route) {
	s.route, s.start = r, bridge.Now()
	r.metrics.inFlight.add(1)
	s.plugin.active++
	if s.plugin.debug {
		s.instance() // for the log, which is written after the header has gone
	}
}

// passUngated lets a request pass that stands at no gate, without the fields
// that only we may set; or answers it.
func (s *stream) passUngated() types.Action {
	if s.plugin.router.Rejects() {
		return s.answer(core.NoRoute())
	}
	if clean, changed := withoutReserved(s.fields); changed {
		if err := bridge.SetRequestHeaders(clean); err != nil {
			return s.fail("a forged header can't be removed", err)
		}
	}
	s.pass()
	return types.ActionContinue
}

// head is the request as the sender sent it, as far as Envoy vouches for it:
// X-Forwarded-Proto is what Envoy has left of it (its own, or a trusted
// proxy's), which :scheme is not for HTTP/2.
func (s *stream) head() core.Head {
	h := core.Head{
		Method: s.fields.first(":method"), Scheme: s.fields.first("x-forwarded-proto"), Host: s.fields.first(":authority"), Target: s.fields.first(":path"),
		Header: &s.fields, ContentLength: -1, Instance: s.instance,
	}
	if h.Scheme == "" {
		h.Scheme = s.fields.first(":scheme")
	}
	if s.route.gate.WantsClient() {
		h.Client = clientAddr()
	}
	if n, err := strconv.ParseInt(s.fields.first("content-length"), 10, 64); err == nil {
		h.ContentLength = n
	}
	if s.noBody {
		h.ContentLength = 0
	}
	return h
}

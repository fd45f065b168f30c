package main

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/envoy-wasm/bridge"
)

// requestBody waits for the body's last piece. While we hold the request,
// size is that of all pieces so far.
func (s *stream) requestBody(size int, end bool) types.Action {
	switch s.stage {
	case passing:
		return types.ActionContinue
	case stopped, asking:
		return types.ActionPause
	}
	s.plugin.waiting.proved()
	s.size = size
	switch {
	case int64(size) > s.route.gate.MaxBody():
		return s.carryOut(s.check.Body(nil, core.BodyOverLimit))
	case !end:
		return types.ActionPause
	}
	return s.decideOnBody()
}

// requestTrailers is the end of a request that has trailers: its body's
// last piece did not say that it was the last.
func (s *stream) requestTrailers() types.Action {
	switch {
	case s.stage == stopped, s.stage == asking:
		return types.ActionPause
	case s.stage == held:
		s.plugin.waiting.proved()
		s.trailers = true
		if action := s.decideOnBody(); action != types.ActionContinue {
			return action
		}
	}
	return s.stripTrailers()
}

// stripTrailers drops all trailers of a request at a gate, where nothing that
// is not verified passes, and elsewhere those that only we may set.
func (s *stream) stripTrailers() types.Action {
	trailers, err := proxywasm.GetHttpRequestTrailers()
	if err != nil {
		return s.fail("the request's trailers can't be read", err)
	}
	for _, f := range trailers {
		if s.route == nil && !core.Reserved(f[0]) {
			continue
		}
		if err := proxywasm.RemoveHttpRequestTrailer(f[0]); err != nil {
			return s.fail("a trailer can't be removed", err)
		}
	}
	return types.ActionContinue
}

func (s *stream) decideOnBody() types.Action {
	if s.size == 0 {
		return s.decide(nil)
	}
	body, err := bridge.RequestBody(s.size)
	if err != nil || len(body) != s.size {
		return s.fail("the request's body can't be read", err)
	}
	if string(body) == filler {
		s.filled, body = true, nil
	}
	return s.decide(body)
}

// filler is the body that a filter before us puts where there is none, since
// Envoy lets nobody write a body then. Whoever sends it by himself sends as
// good as nothing: it is verified and forwarded as no body at all.
const filler = " "

// mayBeFilled says by the header that the body can be the filler.
func (s *stream) mayBeFilled() bool {
	return !s.noBody && s.fields.first("content-length") == "1"
}

// decide hands the complete request to the core.
func (s *stream) decide(body []byte) types.Action {
	if s.verdict != nil {
		return s.carryOut(s.verdict)
	}
	verdict := s.check.Body(body, core.BodyComplete)
	switch {
	case verdict != nil:
	case s.route.remote != nil:
		return s.ask()
	default:
		verdict = s.claim()
	}
	return s.carryOut(verdict)
}

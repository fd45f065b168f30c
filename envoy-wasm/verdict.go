package main

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/envoy-wasm/bridge"
)

// carryOut does what the verdict says.
func (s *stream) carryOut(v *core.Verdict) types.Action {
	s.verdict = v
	s.plugin.waiting.drop(s)
	if v.Outcome == core.WouldReject {
		s.instance() // for the log, which is written after the header has gone
	}
	action := types.ActionPause
	if v.Kind == core.Forward {
		action = s.forward(v)
	} else {
		action = s.answer(v)
	}
	s.publish()
	return action
}

// answer answers the sender in the backend's place.
func (s *stream) answer(v *core.Verdict) types.Action {
	s.stage, s.answered = stopped, true
	if v.Status == 0 {
		v = core.Misconfigured(s.instance())
		s.verdict = v
	}
	header := make([][2]string, len(v.Header))
	for i, f := range v.Header {
		header[i] = [2]string{f.Name, f.Value}
	}
	if err := proxywasm.SendHttpResponse(uint32(v.Status), header, v.Body, -1); err != nil {
		// The request stays where it is, until Envoy's time-out.
		logError("an answer can't be sent", append(s.logFields(), field("error", err.Error()))...)
	}
	return types.ActionPause
}

// replacesBody says that the forwarded request has another body than came.
func (s *stream) replacesBody(v *core.Verdict) bool { return v.Rewrite || s.filled }

// forward lets the request go, changed as the verdict says. Body and
// Content-Length change together, or nothing goes: under a length of the old
// body the backend would take the rest of the new one for its next request.
func (s *stream) forward(v *core.Verdict) types.Action {
	replaces := s.replacesBody(v)
	if s.noBody && replaces {
		return s.failNoBody()
	}
	fields := s.rewritten(v)
	s.plugin.memory.rewritten = fields
	if err := bridge.SetRequestHeaders(fields); err != nil {
		return s.fail("the request's header can't be replaced", err)
	}
	if replaces {
		err := proxywasm.ReplaceHttpRequestBody(v.Body)
		switch {
		case s.ended || s.status != 0: // above its buffer limit Envoy has answered by itself
			s.stage = stopped
			return types.ActionPause
		case err != nil:
			return s.fail("the request's body can't be replaced", err)
		}
	}
	s.pass()
	return types.ActionContinue
}

func (s *stream) failNoBody() types.Action {
	return s.fail("a request without a body can't be given one: put the Lua filter of examples/envoy before this one", nil)
}

// fail refuses the request because a host call has failed, and says so. What
// has been claimed for it is released with the answer's header, as its status
// is no success.
func (s *stream) fail(what string, err error) types.Action {
	s.plugin.waiting.drop(s)
	fields := s.logFields()
	if err != nil {
		fields = append(fields, field("error", err.Error()))
	}
	logError(what, fields...)
	s.verdict = core.Misconfigured(s.instance())
	action := s.answer(s.verdict)
	s.publish()
	return action
}

// guard answers where a call-back has panicked.
func (s *stream) guard(c callback, action *types.Action) {
	r := recover()
	if r == nil {
		return
	}
	*action = types.ActionPause
	what := "panic in " + callbackNames[c] + ": " + panicText(r)
	s.plugin.waiting.drop(s)
	if s.ended { // Envoy crashes if it is to answer now
		s.plugin.holding.drop(s) // of what was not settled the lease decides
		logError(what, s.logFields()...)
		return
	}
	s.fail(what, nil)
}

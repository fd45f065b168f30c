package main

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/envoy-wasm/bridge"
)

// responseHeaders notes the status. It comes for every answer, Envoy's
// own and ours included.
func (s *stream) responseHeaders() types.Action {
	if s.route == nil {
		return types.ActionContinue
	}
	status, err := bridge.ResponseStatus()
	if err != nil {
		return s.fail("the answer's status can't be read", err)
	}
	s.status = status
	return types.ActionContinue
}

// done comes once for every request, also where the sender has
// left, and settles what the request holds.
func (s *stream) done() {
	if s.route == nil {
		return
	}
	s.plugin.waiting.drop(s)
	s.leave()
	s.settle(s.outcome())
	s.plugin.active--
	s.route.metrics.inFlight.add(-1)
	switch {
	case s.status == tooLarge && !s.answered && payloadTooLarge():
		s.tooLargeForEnvoy()
	case s.published && s.verdict.Kind == core.Forward:
		s.route.metrics.backend(s.status)
	}
	if s.plugin.closing {
		s.plugin.metrics.flush()
	}
}

// outcome is what became of the claims' events. Without any status the sender
// has left, and nobody knows what the backend does.
func (s *stream) outcome() core.Settlement {
	if len(s.claims.keys) == 0 || s.status == 0 {
		return core.LeaveToLease
	}
	return core.Settle(s.status, wholeResponse())
}

// wholeResponse says that Envoy has no flag on the answer: neither side broke
// it off.
func wholeResponse() bool {
	flags, ok := bridge.Number("response\x00flags")
	return ok && flags == 0
}

// tooLarge is the status with which Envoy answers a body above its buffer limit.
const tooLarge = 413

func payloadTooLarge() bool {
	details, err := proxywasm.GetProperty([]string{"response", "code_details"})
	return err == nil && string(details) == "request_payload_too_large"
}

// tooLargeForEnvoy tells what Envoy did not let us see or send.
func (s *stream) tooLargeForEnvoy() {
	logError("a body is larger than Envoy buffers: set the listener's per_connection_buffer_limit_bytes to 4 times the largest max_body", s.logFields()...)
	undecided := s.verdict == nil
	s.verdict = &core.Verdict{Outcome: core.Rejected, Code: core.BodyTooLarge, Secret: -1}
	if undecided {
		s.publish()
	}
}

package main

import (
	"strconv"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/envoy-wasm/bridge"
)

// responseHeaders notes the status and settles what it decides: the sender can't
// see the answer yet, and may send again as soon as it does. It comes for every
// answer, Envoy's own and ours included.
func (s *stream) responseHeaders(end bool) types.Action {
	if s.route == nil {
		return types.ActionContinue
	}
	status, err := bridge.ResponseStatus()
	if err != nil {
		return s.fail("the answer's status can't be read", err)
	}
	s.status, s.whole = status, end
	s.byEnvoy = s.isSuccessOfEnvoy()
	if s.answered && s.verdict != nil && status != s.verdict.Status { // to gRPC Envoy says 200
		if err := proxywasm.ReplaceHttpResponseHeader(":status", strconv.Itoa(s.verdict.Status)); err != nil {
			logError("the answer's status can't be set", append(s.logFields(), field("error", err.Error()))...)
		}
	}
	s.settle(s.outcome())
	return types.ActionContinue
}

// isSuccessOfEnvoy says that a 2xx is not the backend's. Envoy gives its own
// failures to a gRPC request as 200, a time-out as 204 where the request asks for
// that, and any failure as local_reply_config says. What a route answers directly
// stands for a backend.
func (s *stream) isSuccessOfEnvoy() bool {
	if len(s.claims.keys) == 0 || s.status/100 != 2 {
		return false
	}
	switch codeDetails() {
	case "via_upstream", "direct_response":
		return false
	}
	return true
}

// codeDetails is Envoy's word for where an answer came from.
func codeDetails() string {
	details, _ := bridge.Property("response\x00code_details")
	return string(details)
}

// responseBody waits for the end of the answer, its last piece or its trailers:
// a success is one when it is there whole, and the sender has not seen its end.
func (s *stream) responseBody(end bool) types.Action {
	if end && s.route != nil {
		s.whole = true
		s.settle(s.outcome())
	}
	return types.ActionContinue
}

// done comes once for every request, also where the sender has
// left, and settles what the request still holds.
func (s *stream) done() {
	if s.route == nil {
		return
	}
	s.plugin.waiting.drop(s)
	s.leave()
	s.settle(s.outcome())
	s.plugin.holding.drop(s)
	s.plugin.active--
	s.route.metrics.inFlight.add(-1)
	switch {
	case s.status == tooLarge && !s.answered && codeDetails() == "request_payload_too_large":
		s.tooLargeForEnvoy()
	case s.published && s.verdict.Kind == core.Forward:
		status := s.status
		if s.byEnvoy {
			status = 0
		}
		s.route.metrics.backend(status)
	}
	if s.plugin.closing {
		s.plugin.metrics.flush()
	}
}

// outcome is what is known by now of what became of the claims' events. Without a
// status nobody knows what the backend does; nor is anything known of a
// claim that is still on its way: see leave.
func (s *stream) outcome() core.Settlement {
	if s.status == 0 || s.stage == asking {
		return core.LeaveToLease
	}
	if s.byEnvoy {
		return core.ReleaseClaims
	}
	return core.Settle(s.status, s.whole)
}

// tooLarge is the status with which Envoy answers a body above its buffer limit.
const tooLarge = 413

// tooLargeForEnvoy tells what Envoy did not let us see or send.
func (s *stream) tooLargeForEnvoy() {
	logError("a body is larger than Envoy buffers: set the listener's per_connection_buffer_limit_bytes to 4 times the largest max_body", s.logFields()...)
	undecided := s.verdict == nil
	if !undecided {
		s.route.metrics.backend(0) // it was to be forwarded, and never was
	}
	s.verdict = &core.Verdict{Outcome: core.Rejected, Code: core.BodyTooLarge, Secret: -1}
	if undecided {
		s.publish()
	}
}

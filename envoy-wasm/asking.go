package main

import (
	"errors"
	"time"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/envoy-wasm/httpstore"
)

var errDown = errors.New("http: gave no answer lately, so it is not asked until it does again")

// ask claims the check's keys in a remote store. The request waits for the
// answer, the worker does not.
func (s *stream) ask() types.Action {
	c := &s.claims
	c.token, c.keys = newToken(), s.check.Keys()
	if s.route.remote.owed.Open() {
		return s.askedInVain(errDown)
	}
	s.stage = asking
	if err := s.callClaim(s.route.remote.config.Timeout); err != nil {
		return s.askedInVain(err)
	}
	return types.ActionPause
}

func (s *stream) callClaim(timeout time.Duration) error {
	r, c := s.route.remote, &s.claims
	c.deadline = time.Now().Add(timeout)
	return r.call(r.client.AppendClaim(r.body[:0], c.token, c.keys, s.route.replay.Lease), timeout, s.claimAnswered)
}

// claimAnswered lets the request go on, if it is still there.
func (s *stream) claimAnswered(status string, body []byte) {
	var action types.Action
	defer s.guard(onClaimAnswer, &action)
	fault(onClaimAnswer, s)
	if s.stage != asking || s.status != 0 {
		return // answered meanwhile, by Envoy or by us; what was claimed is released when it is done
	}
	states := make([]core.State, len(s.claims.keys))
	err := s.route.remote.client.ReadClaim(s.claims.token, status, body, states)
	if err != nil && s.askAgain(err) {
		return
	}
	if action = s.asked(states, err); action == types.ActionContinue {
		if err := proxywasm.ResumeHttpRequest(); err != nil {
			s.fail("the request can't be resumed", err)
		}
	}
}

// askAgain repeats a claim that failed early, as it does when the connection
// was lost: a claim knows its own token.
func (s *stream) askAgain(err error) bool {
	c := &s.claims
	left := time.Until(c.deadline)
	if c.repeated || refused(err) || left < s.route.remote.config.Timeout/4 || left < time.Millisecond {
		return false
	}
	c.repeated = true
	return s.callClaim(left) == nil
}

func refused(err error) bool {
	_, ok := errors.AsType[httpstore.Refused](err)
	return ok
}

// asked goes on with the store's answer.
func (s *stream) asked(states []core.State, err error) types.Action {
	if err != nil {
		return s.askedInVain(err)
	}
	return s.claimed(states)
}

// askedInVain goes on without an answer. What may have been claimed is
// released, which also finds out when the server answers again.
func (s *stream) askedInVain(err error) types.Action {
	s.storeFailed("claim", err)
	if err != errDown && !refused(err) {
		s.route.remote.trip(err)
		s.release(s.claims.keys, time.Time{}, true)
	}
	return s.claimed(nil)
}

func (s *stream) claimed(states []core.State) types.Action {
	s.stage = held
	verdict := s.check.Claimed(states)
	s.release(verdict.Free, time.Time{}, false)
	s.hold(verdict.Hold)
	action := s.carryOut(verdict)
	if action == types.ActionContinue && s.trailers {
		action = s.stripTrailers()
	}
	return action
}

// leave releases what a claim on its way may yet claim: after its time-out, or
// the release would come first.
func (s *stream) leave() {
	if s.stage == asking {
		s.release(s.claims.keys, s.claims.deadline.Add(time.Millisecond), true)
	}
}

func (s *stream) release(keys []core.Key, after time.Time, again bool) {
	if len(keys) > 0 {
		s.route.remote.owe(s.settlement(httpstore.Release, s.route.replay.Lease, after, again), keys)
	}
}

// settlement is one for the stream's token; it is worth being sent for as long
// as what it changes would last.
func (s *stream) settlement(op httpstore.Op, d time.Duration, after time.Time, again bool) httpstore.Settlement {
	return httpstore.Settlement{
		Op: op, Token: s.claims.token, Time: d, Worth: time.Now().Add(d), After: after, Again: again, Owner: s.route.index,
	}
}

// settleRemote notes how the claims end.
func (s *stream) settleRemote(how core.Settlement, keys []core.Key) {
	switch how {
	case core.Commit:
		s.route.remote.owe(s.settlement(httpstore.Commit, s.route.replay.Window, time.Time{}, false), keys)
	case core.ReleaseClaims:
		s.release(keys, time.Time{}, false)
	}
}

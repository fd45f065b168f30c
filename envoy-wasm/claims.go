package main

import (
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/envoy-wasm/bridge"
	"github.com/hookward/hookward/envoy-wasm/httpstore"
)

// claims are what one delivery holds in the replay store until its outcome is
// known.
type claims struct {
	token core.Token
	keys  []core.Key
	renew time.Time // when the lease is to begin anew
	element

	deadline time.Time // of the answer to a claim on its way
	repeated bool      // it is on its way for the second time
}

// claim asks the store for the check's keys and tells the core the answer.
func (s *stream) claim() *core.Verdict {
	keys := s.check.Keys()
	states := s.plugin.memory.statesFor(keys)
	s.claims.token = newToken()
	if err := s.route.store.Claim(s.start, s.claims.token, keys, s.route.replay.Lease, states); err != nil {
		s.storeFailed("claim", err)
		clear(states)
	}
	verdict := s.check.Claimed(states)
	if len(verdict.Free) > 0 {
		if err := s.route.store.Release(s.start, s.claims.token, verdict.Free); err != nil {
			s.storeFailed("release", err)
		}
	}
	s.hold(verdict.Hold)
	return verdict
}

// hold keeps the keys claimed until settle.
func (s *stream) hold(keys []core.Key) {
	if s.claims.keys = keys; len(keys) > 0 {
		s.claims.renew = s.start.Add(s.route.replay.Lease / 2)
		s.plugin.holding.add(s)
	}
}

// renew begins the leases anew of those that the backend works on for long.
func (p *plugin) renew(now time.Time) {
	for s := p.holding.first; s != nil; s = s.claims.next {
		if now.Before(s.claims.renew) {
			continue
		}
		lease := s.route.replay.Lease
		s.claims.renew = now.Add(lease / 2)
		if s.route.remote != nil {
			s.route.remote.owe(s.settlement(httpstore.Renew, lease, time.Time{}, false), s.claims.keys)
			continue
		}
		if err := s.route.store.Renew(now, s.claims.token, s.claims.keys, lease); err != nil {
			s.storeFailed("renew", err)
		}
	}
}

// settle ends the claims as the backend's outcome says, once; while that is
// unknown they stay. What was settled is forgotten first: nothing that fails from
// here on can settle it otherwise.
func (s *stream) settle(how core.Settlement) {
	keys := s.claims.keys
	if len(keys) == 0 || how == core.LeaveToLease {
		return
	}
	s.claims.keys = nil
	s.plugin.holding.drop(s)
	if s.route.remote != nil {
		s.settleRemote(how, keys)
		return
	}
	var (
		op  string
		err error
		now = bridge.Now()
	)
	switch how {
	case core.Commit:
		op, err = "commit", s.route.store.Commit(now, s.claims.token, keys, s.route.replay.Window)
	case core.ReleaseClaims:
		op, err = "release", s.route.store.Release(now, s.claims.token, keys)
	}
	if err != nil {
		s.storeFailed(op, err)
	}
}

func (s *stream) storeFailed(op string, err error) {
	s.route.metrics.replayErrors.add(1)
	if _, ok := s.route.failures.Lets(core.ReplayStoreUnavailable, s.start); ok {
		logError("replay store failed", append(s.logFields(), field("op", op), field("error", err.Error()))...)
	}
}

// newToken is random enough that no two claims share one: nobody gains by
// guessing it, since it never leaves Envoy.
func newToken() (t core.Token) {
	binary.LittleEndian.PutUint64(t[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(t[8:], rand.Uint64())
	return t
}

// list holds the streams with claims, each linked by itself: joining and
// leaving cost nothing.
type list struct{ first *stream }

type element struct{ previous, next *stream }

func (l *list) add(s *stream) {
	s.claims.next = l.first
	if l.first != nil {
		l.first.claims.previous = s
	}
	l.first = s
}

func (l *list) drop(s *stream) {
	c := &s.claims
	if c.previous == nil && l.first != s {
		return // it never joined
	}
	if c.previous != nil {
		c.previous.claims.next = c.next
	} else {
		l.first = c.next
	}
	if c.next != nil {
		c.next.claims.previous = c.previous
	}
	c.previous, c.next = nil, nil
}

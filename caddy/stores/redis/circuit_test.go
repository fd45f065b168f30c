package redis

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hookward/hookward/core"
)

// A claim waits for a circuit that has just opened, and for no other.
func TestAwait(t *testing.T) {
	s, keys := &Store{}, []core.Key{{1}, {2}}
	c := &s.circuits[0]
	if err := s.await(t.Context(), keys); err != nil {
		t.Errorf("a closed circuit: %v", err)
	}
	c.outage.Store(&outage{time.Now().Add(-time.Hour), make(chan struct{})})
	if err := s.await(t.Context(), keys); !errors.Is(err, errDown) {
		t.Errorf("one that has been open for long: %v", err)
	}
	fresh := &outage{time.Now().Add(time.Hour), make(chan struct{})}
	c.outage.Store(fresh)
	ended, end := context.WithCancel(t.Context())
	end()
	if err := s.await(ended, keys); !errors.Is(err, errDown) {
		t.Errorf("a claim whose time is over: %v", err)
	}
	waited := make(chan error, 1)
	go func() { waited <- s.await(t.Context(), keys) }()
	if _, closed := c.next(); !closed || c.outage.Load() != nil {
		t.Error("the circuit stays open with nothing owed")
	}
	if err := <-waited; err != nil {
		t.Errorf("one that closes: %v", err)
	}
}

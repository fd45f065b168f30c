package storetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/core"
)

const (
	deliveries = 50
	sharedKeys = 200
)

// runConcurrent lets many deliveries of the same events come at once. Each takes
// the events in an order of its own, in batches; exactly one may win each event.
// The losers then release and renew all, which must harm nothing.
func runConcurrent(t *testing.T, open Open) {
	store, _ := open(t)
	ctx := context.Background()
	won := make([]atomic.Int32, sharedKeys)
	together(deliveries, func(n int) {
		token := NewToken(uint64(n))
		order := rand.New(rand.NewPCG(uint64(n), 0)).Perm(sharedKeys)
		var mine, others []core.Key
		for part := range slices.Chunk(order, 1+n%7) {
			keys := make([]core.Key, len(part))
			for i, k := range part {
				keys[i] = NewKey(uint64(k))
			}
			for i, state := range claim(t, store, token, time.Hour, keys...) {
				if state == core.Claimed {
					won[part[i]].Add(1)
					mine = append(mine, keys[i])
				} else {
					others = append(others, keys[i])
				}
			}
		}
		err := errors.Join(
			store.Release(ctx, token, others),
			store.Renew(ctx, token, others, time.Second),
			store.Renew(ctx, token, mine, time.Hour),
			store.Commit(ctx, token, mine, time.Hour))
		if err != nil {
			t.Errorf("delivery %d: %v", n, err)
		}
	})
	for k := range won {
		if n := won[k].Load(); n != 1 {
			t.Errorf("key %d was claimed by %d deliveries, want 1", k, n)
		}
		if got := claim(t, store, NewToken(deliveries), time.Hour, NewKey(uint64(k)))[0]; got != core.Done {
			t.Errorf("key %d is %s afterwards, want done", k, stateNames[got])
		}
	}
}

// runConcurrentFull lets many deliveries want different events at once where
// there is room for some: as many as fit are claimed, the others refused.
func runConcurrentFull(t *testing.T, open OpenBounded) {
	const limit = 10
	store, _ := open(t, limit)
	var won, full atomic.Int32
	together(deliveries, func(n int) {
		var states [1]core.State
		err := store.Claim(context.Background(), NewToken(uint64(n)), []core.Key{NewKey(uint64(n))}, time.Hour, states[:])
		switch {
		case err == nil && states[0] == core.Claimed:
			won.Add(1)
		case errors.Is(err, stores.ErrFull) && states[0] == core.Unknown:
			full.Add(1)
		default:
			t.Errorf("delivery %d: %s, %v", n, stateNames[states[0]], err)
		}
	})
	if won.Load() != limit || full.Load() != deliveries-limit {
		t.Errorf("%d claimed and %d refused, want %d and %d", won.Load(), full.Load(), limit, deliveries-limit)
	}
}

// together calls f for each number below n, as nearly at once as it can.
func together(n int, f func(n int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

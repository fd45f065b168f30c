// Package storetest drives any replay store through what stores.Store promises:
// named cases, random interleavings compared with a model, and concurrent calls.
//
// A store's test is one line, or two if the store is bounded:
//
//	storetest.Run(t, open)
//	storetest.RunBounded(t, openWithLimit)
//
// The tests never sleep: time passes in the store only when advance is called.
// They use whole milliseconds, and no lease or window below one second.
package storetest

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/core"
)

// Open returns an empty store with room for at least 10,000 claims, and the
// function that lets its time pass. The store is closed by t.Cleanup.
type Open func(t *testing.T) (store stores.Store, advance func(time.Duration))

// OpenBounded is Open for a store that holds at most limit claims.
type OpenBounded func(t *testing.T, limit int) (store stores.Store, advance func(time.Duration))

const (
	seeds     = 40      // random scripts for each store
	narrow    = 4096    // bytes of a script of about 700 operations
	wideSeeds = 4       // random scripts with many keys
	wide      = 1 << 16 // bytes of a script of about 700 operations with many keys
)

// Run tests what every store promises.
func Run(t *testing.T, open Open) {
	t.Run("cases", func(t *testing.T) { runCases(t, open) })
	t.Run("random", func(t *testing.T) {
		for seed := range uint64(seeds) {
			store, advance := open(t)
			t.Logf("seed %d", seed)
			Play(t, store, advance, 0, Script(seed, narrow))
		}
	})
	t.Run("random with many keys", func(t *testing.T) {
		for seed := range uint64(wideSeeds) {
			store, advance := open(t)
			t.Logf("seed %d", seed)
			playWide(t, store, advance, Script(seed, wide))
		}
	})
	t.Run("concurrent", func(t *testing.T) { runConcurrent(t, open) })
}

// RunBounded tests what a store with a limit promises when it is full: claims
// that have ended make room, then the oldest done ones, never a pending one.
func RunBounded(t *testing.T, open OpenBounded) {
	for _, limit := range []int{1, 2, 3, 4, 6, 8} {
		for seed := range uint64(seeds) {
			store, advance := open(t, limit)
			t.Logf("limit %d, seed %d", limit, seed)
			Play(t, store, advance, limit, Script(seed, narrow))
		}
	}
	t.Run("concurrent", func(t *testing.T) { runConcurrentFull(t, open) })
}

// Script returns n random bytes for Play, the same for the same seed.
func Script(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 0x686f6f6b77617264))
	script := make([]byte, n)
	for i := range script {
		script[i] = byte(r.Uint32())
	}
	return script
}

// NewKey returns a key that is uniform, as the keys of events are, and the same
// for the same n.
func NewKey(n uint64) core.Key { return core.Key(uniform(n, 1)) }

// NewToken is NewKey for tokens.
func NewToken(n uint64) core.Token { return core.Token(uniform(n, 2)) }

func uniform(n, stream uint64) (b [16]byte) {
	p := rand.NewPCG(n, stream)
	binary.LittleEndian.PutUint64(b[:8], p.Uint64())
	binary.LittleEndian.PutUint64(b[8:], p.Uint64())
	return b
}

func claim(t testing.TB, s stores.Store, token core.Token, lease time.Duration, keys ...core.Key) []core.State {
	t.Helper()
	states := make([]core.State, len(keys))
	if err := s.Claim(context.Background(), token, keys, lease, states); err != nil {
		t.Errorf("Claim: %v", err)
	}
	return states
}

var stateNames = [...]string{core.Unknown: "unknown", core.Claimed: "claimed", core.Pending: "pending", core.Done: "done"}

func names(states []core.State) []string {
	n := make([]string, len(states))
	for i, s := range states {
		n[i] = stateNames[s]
	}
	return n
}

// Package stores holds what replay stores promise, and the stores themselves
// in a folder each.
package stores

import (
	"context"
	"errors"
	"time"

	"github.com/hookward/hookward/core"
)

// Store keeps claims. All methods are safe for concurrent use, take all keys
// of one delivery at once (so that a remote store needs one round trip), and
// obey ctx where they wait for something outside the process.
//
// A key is free, pending (held by a token until a lease ends) or done (until a
// window ends). Of concurrent calls of Claim with different tokens for one free
// key, exactly one is answered Claimed.
type Store interface {
	// Claim claims every key for token until lease has passed and writes the
	// answer for keys[i] to states[i]; states must have the length of keys. A
	// key already pending under the same token is Claimed again, so that a
	// call whose answer was lost can be repeated. The keys of one call are
	// claimed one by one: some may be Claimed and others not. With an error,
	// every state is core.Unknown and nothing stays claimed, as far as the
	// store could see to it.
	Claim(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration, states []core.State) error

	// Commit makes every key that is pending under token, or free since the
	// lease ended, done until window has passed. What another token holds, and
	// what is done already, stays as it is.
	Commit(ctx context.Context, token core.Token, keys []core.Key, window time.Duration) error

	// Release frees every key that is pending under token, and no other.
	Release(ctx context.Context, token core.Token, keys []core.Key) error

	// Renew lets the lease of every key that is pending under token end only
	// after lease has passed from now.
	Renew(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration) error
}

// ErrFull says that a store holds as many claims as it may, all of them
// pending, and so has nothing to give up for a new one.
var ErrFull = errors.New("replay store is full of pending claims: raise max_claims, or shorten lease")

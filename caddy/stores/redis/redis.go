// Package redis keeps claims in Redis or Valkey, version 7 or later: a single
// server, a set watched by Sentinel, or a Cluster. Several machines on one
// server share their claims.
//
// # Keys and values
//
// Whoever keeps to this table shares claims with this package, over whatever
// protocol he reaches the server.
//
//	key     <prefix><the core.Key in 32 lower-case hex digits>; the prefix is "hookward:" by default
//	value   "p<the core.Token in 32 hex digits>" while pending, "d" when done
//	expiry  what is left of the lease, or of the window
//
//	claim    SET <key> <p…> NX GET PX <lease>
//	         answers nothing: Claimed; the same <p…>: Claimed before, renew it; "d": Done; else: Pending
//	commit   if the key is gone or holds <p…>: SET <key> d PX <window>
//	release  if the key holds <p…>: DEL <key>
//	renew    if the key holds <p…>: PEXPIRE <key> <lease>
//
// The last three are scripts, so that nothing comes between the question and
// the change. Each command concerns one key, so that a Cluster needs no hash
// tags; those of one call travel together, in one round trip to each server
// concerned.
//
// # When the server does not answer
//
// No call waits longer than the time-out. After one that failed the server is
// not asked until what was left undone has been made up for: see circuit.
package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/zap"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/core"
)

var _ stores.Store = (*Store)(nil)

const (
	// DefaultPrefix stands before each key.
	DefaultPrefix = "hookward:"
	// DefaultTimeout is how long a call waits for the server.
	DefaultTimeout = 50 * time.Millisecond
)

// Options say which server, and how to speak to it.
type Options struct {
	// Addresses are host:port of the server, of some nodes of the Cluster, or
	// of the Sentinels.
	Addresses []string
	// Sentinel is the name of the master that the Sentinels watch, else empty.
	Sentinel string
	// Username and Password are for the server, not for Sentinels.
	Username, Password string
	// TLS is nil for a connection in the clear.
	TLS *tls.Config
	// Prefix stands before each key. Default: DefaultPrefix.
	Prefix string
	// Timeout is how long a call waits for the server. Default: DefaultTimeout.
	Timeout time.Duration
}

// Store is a replay store in Redis.
type Store struct {
	options  Options
	log      *zap.Logger
	timeout  atomic.Int64
	access   atomic.Pointer[access]
	client   atomic.Pointer[connected]
	circuits [circuits]circuit

	closing chan struct{}
	stop    sync.Once
	work    sync.WaitGroup // connecting, and paying what is owed
}

// connected is the client once it has reached the server.
type connected struct {
	rueidis.Client
	cluster bool
}

// access is as whom the server is spoken to, and whom the gate trusts.
type access struct {
	username, password string
	tls                *tls.Config
}

func (a *access) equals(b *access) bool {
	sameTrust := a.tls == b.tls || a.tls != nil && b.tls != nil && a.tls.RootCAs.Equal(b.tls.RootCAs)
	return a.username == b.username && a.password == b.password && sameTrust
}

// Open returns a store for the server, whether it can be reached or not: if not,
// calls fail until it can.
func Open(o Options, log *zap.Logger) *Store {
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	s := &Store{options: o, log: log, closing: make(chan struct{})}
	s.SetTimeout(o.Timeout)
	s.access.Store(&access{o.Username, o.Password, o.TLS})
	select {
	case <-s.connect(): // so that the first request finds it
	case <-time.After(patience):
	}
	return s
}

// SetTimeout changes how long a call waits for the server.
func (s *Store) SetTimeout(d time.Duration) {
	if d <= 0 {
		d = DefaultTimeout
	}
	s.timeout.Store(int64(d))
}

// SetAccess changes username, password and TLS, which must be nil if it was. What
// is connected stays so until the server has been reached with them.
func (s *Store) SetAccess(username, password string, tls *tls.Config) {
	next := &access{username, password, tls}
	if before := s.access.Swap(next); !before.equals(next) {
		s.connect()
	}
}

// Close ends all connections. Calls fail from then on.
func (s *Store) Close() error {
	s.stop.Do(func() { close(s.closing) })
	s.work.Wait()
	if c := s.client.Load(); c != nil {
		c.Close()
	}
	return nil
}

// Claim implements stores.Store.
func (s *Store) Claim(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration, states []core.State) error {
	clear(states)
	if len(keys) == 0 {
		return nil
	}
	within, cancel := s.deadline(ctx)
	defer cancel()
	if err := s.await(within, keys); err != nil {
		return s.explain(err)
	}
	mine := pendingValue(token)
	answers, err := s.call(within, keys, func(_ int, c *connected, name string) rueidis.Completed {
		return c.B().Set().Key(name).Value(mine).Nx().Get().PxMilliseconds(milliseconds(lease)).Build()
	})
	var again []core.Key
	for i, a := range answers {
		var before bool
		states[i], before, err = readClaim(a, mine, err)
		if before {
			again = append(again, keys[i])
		}
	}
	switch {
	case err != nil:
		err = s.explain(err)
	case len(again) > 0:
		err = s.settle(ctx, settlement{op: renew, token: token, time: lease}, again)
	}
	if err != nil {
		clear(states)
		s.undo(ctx, token, keys, answers)
		return err
	}
	return nil
}

// readClaim tells what the server answered to a claim, and whether the key was
// the caller's before. It keeps the first error.
func readClaim(a rueidis.RedisResult, mine string, first error) (state core.State, before bool, err error) {
	switch value, err := a.ToString(); {
	case rueidis.IsRedisNil(err):
		return core.Claimed, false, first
	case err != nil:
		return core.Unknown, false, errors.Join(first, err)
	case value == mine:
		return core.Claimed, true, first
	case value == done:
		return core.Done, false, first
	default:
		return core.Pending, false, first
	}
}

// Commit implements stores.Store. What could not be committed now is repeated
// until it can; the error says so.
func (s *Store) Commit(ctx context.Context, token core.Token, keys []core.Key, window time.Duration) error {
	return s.settle(ctx, settlement{op: commit, token: token, time: window}, keys)
}

// Release implements stores.Store. What could not be released now is repeated,
// as by Commit.
func (s *Store) Release(ctx context.Context, token core.Token, keys []core.Key) error {
	return s.settle(ctx, settlement{op: release, token: token}, keys)
}

// Renew implements stores.Store.
func (s *Store) Renew(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration) error {
	return s.settle(ctx, settlement{op: renew, token: token, time: lease}, keys)
}

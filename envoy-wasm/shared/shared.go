// Package shared keeps claims in a key-value store that has nothing but get
// and compare-and-swap, lives in memory, is common to several workers and never
// forgets a key: Envoy's shared data.
//
// The claims lie in a fixed number of groups, chosen by their key's hash, so
// that the number of keys is bounded for good. A group holds up to 64 claims
// and is written whole, under compare-and-swap: of several workers who change
// one group at once, one succeeds and the others look again. A group that is
// full gives up what has ended, then its oldest done claim, never a pending one;
// since chance does not fill all groups alike, that begins when about four
// fifths of the whole are taken.
package shared

import (
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"github.com/hookward/hookward/core"
)

// Data is what the claims are kept in.
type Data interface {
	// Get gives the value of a key and the number of its version, and nil
	// without an error where there is none. The value may be changed, and is
	// there until the next call.
	Get(key string) (value []byte, version uint32, err error)
	// Set replaces the value of a key if the version is still current; stored
	// is false if it is not. A version that never is current, Absent, stores
	// where there is no value and only there.
	Set(key string, value []byte, version uint32) (stored bool, err error)
}

// Absent is the version of a key that has no value. Envoy takes 0 for "whatever
// is there", which would let two workers create one group, and win both.
const Absent = 0xFFFFFFFF

// Errors of a store.
var (
	// ErrFull: all claims of a group are pending.
	ErrFull = errors.New("replay store is full of pending claims: raise max_claims, or shorten lease")
	// ErrCorrupt: what is kept under a key is not what a store wrote. It is
	// replaced by an empty group, so that the next request finds one.
	ErrCorrupt = errors.New("replay store found data that is not its own: give this filter a vm_id of its own")
	// ErrBusy: other workers changed the group every time.
	ErrBusy = errors.New("replay store was changed by other workers all the time")
)

const (
	perGroup = 64
	// tries is far more than workers there are: each lost one is another's gain.
	tries = 256
)

// Store keeps claims. It is one worker's view of them: not safe for concurrent
// use, while any number of stores may share one Data.
type Store struct {
	data   Data
	prefix string
	groups uint32
	limit  int    // claims in a group
	name   []byte // memory, used again
	// Held and Evicted say by how much the number of claims has changed, and how
	// many were given up before their end, since the owner last set them to 0.
	Held, Evicted int64
}

// New is a store of at most maxClaims claims, rounded down to whole groups.
// Stores of different sizes share nothing.
func New(data Data, maxClaims int) *Store {
	s := &Store{data: data, groups: uint32(max(maxClaims/perGroup, 1)), limit: min(max(maxClaims, 1), perGroup)}
	s.prefix = "hookward/claims/1/" + strconv.Itoa(maxClaims) + "/"
	return s
}

// Claim claims every key for token until lease has passed from now, and writes
// the answer for keys[i] to states[i]. With an error, every state is
// core.Unknown and nothing stays claimed, as far as the store could see to it.
func (s *Store) Claim(now time.Time, token core.Token, keys []core.Key, lease time.Duration, states []core.State) error {
	for i, key := range keys {
		state, err := s.change(claim, now, token, key, lease)
		if err != nil {
			clear(states)
			_ = s.Release(now, token, keys) // where that fails, too, the lease ends them
			return err
		}
		states[i] = state
	}
	return nil
}

// Commit makes every key that is pending under token, or free since the lease
// ended, done until window has passed.
func (s *Store) Commit(now time.Time, token core.Token, keys []core.Key, window time.Duration) error {
	return s.changeAll(commit, now, token, keys, window)
}

// Release frees every key that is pending under token, and no other.
func (s *Store) Release(now time.Time, token core.Token, keys []core.Key) error {
	return s.changeAll(release, now, token, keys, 0)
}

// Renew lets the lease of every key that is pending under token end only after
// lease has passed from now.
func (s *Store) Renew(now time.Time, token core.Token, keys []core.Key, lease time.Duration) error {
	return s.changeAll(renew, now, token, keys, lease)
}

func (s *Store) changeAll(o operation, now time.Time, token core.Token, keys []core.Key, d time.Duration) error {
	var errs error
	for _, key := range keys {
		if _, err := s.change(o, now, token, key, d); err != nil {
			errs = errors.Join(errs, err)
		}
	}
	return errs
}

// change does one operation on one key.
func (s *Store) change(o operation, now time.Time, token core.Token, key core.Key, d time.Duration) (core.State, error) {
	name := s.groupOf(key)
	for range tries {
		value, version, err := s.data.Get(name)
		if err != nil {
			return core.Unknown, err
		}
		if value == nil {
			version = Absent
		}
		before := len(value) / claimSize
		g := group{text: value}
		at, ok := g.look(key, s.limit, now.UnixMilli())
		if !ok {
			_, _ = s.data.Set(name, []byte(mark), version)
			return core.Unknown, ErrCorrupt
		}
		state, changed, evicted, err := g.apply(o, at, token, key, now.Add(d).UnixMilli(), s.limit)
		if err != nil || !changed {
			return state, err
		}
		stored, err := s.data.Set(name, g.text, version)
		if err != nil {
			return core.Unknown, err
		}
		if stored {
			s.Held += int64(g.count() - before)
			s.Evicted += int64(evicted)
			return state, nil
		}
	}
	return core.Unknown, ErrBusy
}

// groupOf is the name of the key's group. The key is a hash, so any part of it
// is uniform.
func (s *Store) groupOf(key core.Key) string {
	s.name = append(s.name[:0], s.prefix...)
	s.name = strconv.AppendUint(s.name, uint64(binary.LittleEndian.Uint32(key[:4])%s.groups), 10)
	return string(s.name)
}

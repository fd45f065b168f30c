package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/core"
)

// Few keys, tokens and durations, so that operations meet. The steps of the
// clock come to the end of a lease or window, and to just before it.
var (
	durations = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 30 * time.Second, time.Hour}
	steps     = []time.Duration{time.Millisecond, 999 * time.Millisecond, time.Second, 3 * time.Second, 29 * time.Second, time.Hour}
)

const playTokens = 4

// player runs a script against a store and the model.
type player struct {
	t       testing.TB
	keys    int // how many different keys
	batch   int // how many keys in one call, at most
	store   stores.Store
	advance func(time.Duration)
	model   *model
	script  []byte
	log     []string // what was done so far, for the report of a failure
}

// Play reads script as operations, obeys them on store and on a model with the
// same limit (0 is none), and fails t where their answers differ. Every script
// is valid. At the end it asks for the state of every key.
func Play(t testing.TB, store stores.Store, advance func(time.Duration), limit int, script []byte) {
	t.Helper()
	play(&player{t: t, keys: 12, batch: 4, store: store, advance: advance, model: newModel(limit), script: script})
}

// playWide is Play with so many keys that the store has to grow and to clear up.
func playWide(t testing.TB, store stores.Store, advance func(time.Duration), script []byte) {
	t.Helper()
	play(&player{t: t, keys: 3000, batch: 100, store: store, advance: advance, model: newModel(0), script: script})
}

func play(p *player) {
	p.t.Helper()
	for len(p.script) > 0 {
		p.step()
	}
	for k := range p.keys {
		p.claim(NewToken(playTokens), []core.Key{NewKey(uint64(k))}, time.Second)
	}
}

func (p *player) step() {
	p.t.Helper()
	op := p.next(8)
	if op == 0 {
		d := pick(p, steps)
		p.note("advance %v", d)
		p.advance(d)
		p.model.advance(d)
		return
	}
	token, keys, d := NewToken(uint64(p.next(playTokens))), p.someKeys(), pick(p, durations)
	switch op {
	case 1, 2, 3:
		p.claim(token, keys, d)
	case 4, 5:
		p.note("commit %x %x for %v", token[:2], keys, d)
		p.same("commit", p.store.Commit(context.Background(), token, keys, d), p.model.commit(token, keys, d))
	case 6:
		p.note("release %x %x", token[:2], keys)
		p.model.release(token, keys)
		p.same("release", p.store.Release(context.Background(), token, keys), nil)
	case 7:
		p.note("renew %x %x for %v", token[:2], keys, d)
		p.model.renew(token, keys, d)
		p.same("renew", p.store.Renew(context.Background(), token, keys, d), nil)
	}
}

func (p *player) claim(token core.Token, keys []core.Key, lease time.Duration) {
	p.t.Helper()
	p.note("claim %x %x for %v", token[:2], keys, lease)
	want, wantErr := p.model.claim(token, keys, lease)
	got := slices.Repeat([]core.State{core.Done}, len(keys)) // what a store must overwrite
	p.same("claim", p.store.Claim(context.Background(), token, keys, lease, got), wantErr)
	if !slices.Equal(got, want) {
		p.fail("claim = %v, want %v", names(got), names(want))
	}
}

func (p *player) same(op string, got, want error) {
	p.t.Helper()
	if !errors.Is(got, want) || (got != nil) != (want != nil) {
		p.fail("%s error = %v, want %v", op, got, want)
	}
}

func (p *player) fail(format string, args ...any) {
	p.t.Helper()
	for _, line := range p.log[max(0, len(p.log)-25):] {
		p.t.Log(line)
	}
	p.t.Fatalf("step %d: %s", len(p.log), fmt.Sprintf(format, args...))
}

func (p *player) note(format string, args ...any) {
	p.log = append(p.log, fmt.Sprintf(format, args...))
}

// someKeys reads one key to a batch, the same one perhaps more than once.
func (p *player) someKeys() []core.Key {
	keys := make([]core.Key, 1+p.next(p.batch))
	for i := range keys {
		keys[i] = NewKey(uint64(p.next(p.keys)))
	}
	return keys
}

// next reads a number below n from as few bytes as can hold it. After its end
// the script is all 0.
func (p *player) next(n int) int {
	v := 0
	for rest := n - 1; rest > 0; rest >>= 8 {
		v <<= 8
		if len(p.script) > 0 {
			v |= int(p.script[0])
			p.script = p.script[1:]
		}
	}
	return v % n
}

func pick[T any](p *player, from []T) T { return from[p.next(len(from))] }

package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/core"
)

// bench is what a case works with: two deliveries, "mine" and "theirs", and
// their calls, with a lease of 10 seconds and a window of an hour.
type bench struct {
	t            *testing.T
	store        stores.Store
	advance      func(time.Duration)
	mine, theirs core.Token
	a, b         core.Key
}

const (
	lease  = 10 * time.Second
	window = time.Hour
	moment = time.Millisecond
)

// cases say each promise once, so that a store that breaks it fails by its name.
var cases = []struct {
	name string
	run  func(b *bench)
}{
	{"a free key is claimed", func(b *bench) {
		b.claim(b.mine, core.Claimed)
	}},
	{"a pending key is pending for others until its lease has passed", func(b *bench) {
		b.claim(b.mine, core.Claimed)
		b.advance(lease - moment)
		b.claim(b.theirs, core.Pending)
		b.advance(moment)
		b.claim(b.theirs, core.Claimed)
	}},
	{"a repeated claim is claimed, and its lease begins anew", func(b *bench) {
		b.claim(b.mine, core.Claimed)
		b.advance(lease - moment)
		b.claim(b.mine, core.Claimed)
		b.advance(lease - moment)
		b.claim(b.theirs, core.Pending)
	}},
	{"a done key is done for everyone until its window has passed", func(b *bench) {
		b.claim(b.mine, core.Claimed)
		b.commit(b.mine)
		b.advance(window - moment)
		b.claim(b.mine, core.Done)
		b.claim(b.theirs, core.Done)
		b.advance(moment)
		b.claim(b.theirs, core.Claimed)
	}},
	{"a commit after the lease makes a key done that nobody took", func(b *bench) {
		b.claim(b.mine, core.Claimed)
		b.advance(lease)
		b.commit(b.mine)
		b.claim(b.theirs, core.Done)
	}},
	{"a commit after the lease leaves what another took", func(b *bench) {
		b.claim(b.mine, core.Claimed)
		b.advance(lease)
		b.claim(b.theirs, core.Claimed)
		b.commit(b.mine)
		b.claim(b.theirs, core.Claimed)
		b.claim(b.mine, core.Pending)
	}},
	{"a second commit does not lengthen the window", func(b *bench) {
		b.claim(b.mine, core.Claimed)
		b.commit(b.mine)
		b.advance(window - moment)
		b.commit(b.mine)
		b.advance(moment)
		b.claim(b.theirs, core.Claimed)
	}},
	{"a released key is free at once", func(b *bench) {
		b.claim(b.mine, core.Claimed)
		b.release(b.mine)
		b.claim(b.theirs, core.Claimed)
	}},
	{"a release leaves what another holds", func(b *bench) {
		b.claim(b.theirs, core.Claimed)
		b.release(b.mine)
		b.claim(b.mine, core.Pending)
	}},
	{"a release leaves what is done", func(b *bench) {
		b.claim(b.mine, core.Claimed)
		b.commit(b.mine)
		b.release(b.mine)
		b.claim(b.theirs, core.Done)
	}},
	{"the zero token is a token like others, and owns nothing that is done", func(b *bench) {
		b.claim(core.Token{}, core.Claimed)
		b.claim(b.theirs, core.Pending)
		b.commit(core.Token{})
		b.release(core.Token{})
		b.claim(b.theirs, core.Done)
	}},
	{"a renewed lease is counted from the renewal", func(b *bench) {
		b.claim(b.mine, core.Claimed)
		b.advance(lease - moment)
		b.renew(b.mine)
		b.advance(lease - moment)
		b.claim(b.theirs, core.Pending)
		b.advance(moment)
		b.claim(b.theirs, core.Claimed)
	}},
	{"a renewal after the lease claims nothing", func(b *bench) {
		b.claim(b.mine, core.Claimed)
		b.advance(lease)
		b.renew(b.mine)
		b.claim(b.theirs, core.Claimed)
	}},
	{"a renewal leaves what another took", func(b *bench) {
		b.claim(b.mine, core.Claimed)
		b.advance(lease)
		b.claim(b.theirs, core.Claimed)
		b.advance(lease - moment)
		b.renew(b.mine)
		b.advance(moment)
		b.claim(b.mine, core.Claimed)
	}},
	{"a renewal leaves what is done", func(b *bench) {
		b.claim(b.mine, core.Claimed)
		b.commit(b.mine)
		b.renew(b.mine)
		b.advance(lease)
		b.claim(b.theirs, core.Done)
	}},
	{"keys of one call are claimed one by one", func(b *bench) {
		b.claim(b.theirs, core.Claimed)
		b.claimAll(b.mine, []core.Key{b.a, b.b}, core.Pending, core.Claimed)
	}},
	{"a key twice in one call is claimed twice", func(b *bench) {
		b.claimAll(b.mine, []core.Key{b.a, b.b, b.a}, core.Claimed, core.Claimed, core.Claimed)
	}},
	{"a call without keys changes nothing", func(b *bench) {
		b.claimAll(b.mine, nil)
		b.claim(b.mine, core.Claimed)
	}},
}

func runCases(t *testing.T, open Open) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			store, advance := open(t)
			c.run(&bench{t, store, advance, NewToken(1), NewToken(2), NewKey(1), NewKey(2)})
		})
	}
}

func (b *bench) claim(token core.Token, want core.State) {
	b.t.Helper()
	b.claimAll(token, []core.Key{b.a}, want)
}

func (b *bench) claimAll(token core.Token, keys []core.Key, want ...core.State) {
	b.t.Helper()
	if got := claim(b.t, b.store, token, lease, keys...); !slices.Equal(got, want) {
		b.t.Fatalf("Claim = %v, want %v", names(got), names(want))
	}
}

func (b *bench) commit(token core.Token) {
	b.t.Helper()
	b.must(b.store.Commit(context.Background(), token, []core.Key{b.a}, window))
}

func (b *bench) release(token core.Token) {
	b.t.Helper()
	b.must(b.store.Release(context.Background(), token, []core.Key{b.a}))
}

func (b *bench) renew(token core.Token) {
	b.t.Helper()
	b.must(b.store.Renew(context.Background(), token, []core.Key{b.a}, lease))
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

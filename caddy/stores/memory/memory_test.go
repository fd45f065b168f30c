package memory_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/caddy/stores/memory"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
)

// open returns a store and the only thing that moves its clock.
func open(_ *testing.T, limit int) (stores.Store, func(time.Duration)) {
	return openAt(limit)
}

func openAt(limit int) (*memory.Store, func(time.Duration)) {
	now := time.Unix(0, 0)
	s := memory.NewWithClock(limit, func() time.Time { return now })
	return s, func(d time.Duration) { now = now.Add(d) }
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (stores.Store, func(time.Duration)) { return open(t, 100_000) })
}

func TestStoreFull(t *testing.T) { storetest.RunBounded(t, open) }

func FuzzStore(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(byte(seed*3), storetest.Script(seed, 512))
	}
	f.Add(byte(1), []byte{1, 0, 0, 0, 0, 0, 2, 4, 0, 0, 0, 1, 1, 0, 0, 0, 0}) // let a lease end, then commit
	f.Fuzz(func(t *testing.T, limit byte, script []byte) {
		limit %= 16
		held := int(limit)
		if limit == 0 {
			held = 100_000 // no limit the script could reach, and many shards
		}
		s, advance := openAt(held)
		storetest.Play(t, s, advance, int(limit), script)
		if s.Len() > s.Limit() {
			t.Errorf("Len = %d over Limit = %d", s.Len(), s.Limit())
		}
	})
}

func TestCounters(t *testing.T) {
	s, advance := openAt(3)
	claimN(t, s, 0, 3)
	check(t, s, 3, 3, 0)
	if err := claimErr(s, 3); !errors.Is(err, stores.ErrFull) {
		t.Fatalf("Claim in a full store = %v, want ErrFull", err)
	}
	check(t, s, 3, 3, 0)
	commitN(t, s, 0, 3)
	claimN(t, s, 3, 4)
	check(t, s, 3, 3, 1) // a done one given up before its time counts
	advance(window)
	claimN(t, s, 4, 5)
	check(t, s, 2, 3, 1) // those that had ended do not, and two of the three are cleared away
}

func TestLimitChanges(t *testing.T) {
	for _, made := range []int{64, 100_000} { // one shard, and many
		s, _ := openAt(made)
		claimN(t, s, 0, 60)
		commitN(t, s, 10, 60)
		s.SetLimit(20)
		check(t, s, 20, 20, 40)
		s.SetLimit(5) // ten are pending
		check(t, s, 10, 5, 50)
		if err := claimErr(s, 100); !errors.Is(err, stores.ErrFull) {
			t.Errorf("Claim over the limit = %v, want ErrFull", err)
		}
		commitN(t, s, 0, 10)
		claimN(t, s, 100, 101)
		check(t, s, 5, 5, 56)
		s.SetLimit(1000)
		claimN(t, s, 101, 1096)
		check(t, s, 1000, 1000, 56)
		if err := claimErr(s, 2000); err != nil {
			t.Errorf("Claim with a done one to give up = %v", err)
		}
	}
}

// What has ended goes before what is done, and does not count as evicted.
func TestLowerLimitGivesUpEndedFirst(t *testing.T) {
	for _, made := range []int{64, 100_000} {
		s, advance := openAt(made)
		claimN(t, s, 0, 40)
		commitN(t, s, 0, 20)
		advance(lease)
		s.SetLimit(20)
		check(t, s, 20, 20, 0)
	}
}

// A limit without sense must not open the gate.
func TestNoRoomAtAll(t *testing.T) {
	for _, limit := range []int{0, -1} {
		s, _ := openAt(limit)
		if err := claimErr(s, 1); !errors.Is(err, stores.ErrFull) {
			t.Errorf("New(%d): Claim = %v, want ErrFull", limit, err)
		}
	}
}

// The whole of a large limit can be used, however keys fall into shards.
func TestShardsShareRoom(t *testing.T) {
	const limit = 2000
	s, _ := openAt(limit)
	claimN(t, s, 0, limit)
	check(t, s, limit, limit, 0)
	if err := claimErr(s, 2*limit); !errors.Is(err, stores.ErrFull) {
		t.Errorf("Claim over the limit = %v, want ErrFull", err)
	}
}

// What ended in one shard makes room in another. The first byte of a key picks
// its shard.
func TestEndedMakesRoomElsewhere(t *testing.T) {
	const limit = 2000
	s, advance := openAt(limit)
	for first := range byte(2) {
		for n := range uint64(limit) {
			key := storetest.NewKey(n)
			key[0] = first
			claimOne(t, s, storetest.NewToken(n), []core.Key{key})
		}
		check(t, s, limit, limit, 0)
		advance(lease)
	}
}

// Age counts from the commit, whatever the windows are and the keys' claims were.
func TestOldestDoneGoesFirst(t *testing.T) {
	const limit, fresh = 64, 20
	s, advance := openAt(limit)
	claimN(t, s, 0, limit)
	order := rand.New(rand.NewPCG(1, 2)).Perm(limit)
	for i, n := range order {
		keys := []core.Key{storetest.NewKey(uint64(n))}
		if err := s.Commit(context.Background(), storetest.NewToken(uint64(n)), keys, window-time.Duration(i)*time.Hour); err != nil {
			t.Fatal(err)
		}
		advance(time.Second)
	}
	claimN(t, s, limit, limit+fresh)
	check(t, s, limit, limit, fresh)
	for i, n := range order[fresh:] {
		var states [1]core.State
		_ = s.Claim(context.Background(), core.Token{}, []core.Key{storetest.NewKey(uint64(n))}, lease, states[:])
		if states[0] != core.Done {
			t.Errorf("commit %d was given up, before one of the %d older ones", fresh+i, fresh)
		}
	}
}

func TestLimitChangesUnderLoad(t *testing.T) {
	const most, workers, each = 3000, 8, 4000
	s := memory.New(most)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := w * each; n < (w+1)*each; n++ {
				if err := claimErr(s, n); err != nil {
					t.Errorf("Claim with done ones to give up = %v", err)
				}
				if err := commitErr(s, n); err != nil {
					t.Errorf("Commit of a pending claim = %v", err)
				}
				if n%100 == 0 {
					s.SetLimit(most - n%most/2)
				}
				if held := s.Len(); held > most {
					t.Errorf("Len = %d, over every limit there was", held)
				}
			}
		})
	}
	wg.Wait()
	s.SetLimit(100)
	check(t, s, 100, 100, workers*each-100)
}

func TestEndless(t *testing.T) {
	s, advance := openAt(2)
	states := make([]core.State, 1)
	keys := []core.Key{storetest.NewKey(1)}
	advance(time.Hour)
	_ = s.Claim(context.Background(), storetest.NewToken(1), keys, 1<<63-1, states)
	_ = s.Claim(context.Background(), storetest.NewToken(2), keys, lease, states)
	if states[0] != core.Pending {
		t.Errorf("state under the longest lease = %d, want Pending", states[0])
	}
}

const (
	lease  = 30 * time.Second
	window = 8 * 24 * time.Hour
)

func claimErr(s *memory.Store, n int) error {
	var states [1]core.State
	return s.Claim(context.Background(), storetest.NewToken(uint64(n)), []core.Key{storetest.NewKey(uint64(n))}, lease, states[:])
}

func commitErr(s *memory.Store, n int) error {
	return s.Commit(context.Background(), storetest.NewToken(uint64(n)), []core.Key{storetest.NewKey(uint64(n))}, window)
}

// claimN claims the keys with the numbers from..to-1, each by its own token.
func claimN(t testing.TB, s *memory.Store, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := claimErr(s, n); err != nil {
			t.Fatalf("claiming key %d: %v", n, err)
		}
	}
}

func commitN(t testing.TB, s *memory.Store, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := commitErr(s, n); err != nil {
			t.Fatalf("committing key %d: %v", n, err)
		}
	}
}

func check(t *testing.T, s *memory.Store, held, limit int, evicted uint64) {
	t.Helper()
	if s.Len() != held || s.Limit() != limit || s.Evicted() != evicted {
		t.Errorf("Len, Limit, Evicted = %d, %d, %d, want %d, %d, %d", s.Len(), s.Limit(), s.Evicted(), held, limit, evicted)
	}
}

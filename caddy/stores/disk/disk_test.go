package disk_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/caddy/stores/disk"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
)

const (
	lease  = 30 * time.Second
	window = 8 * 24 * time.Hour
)

// opener opens a store under a clock that moves only when told to.
func opener(t *testing.T, limit int) (open func() *disk.Store, advance func(time.Duration)) {
	now := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "claims")
	open = func() *disk.Store {
		t.Helper()
		s, err := disk.OpenWithClock(path, limit, zap.NewNop(), func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return open, func(d time.Duration) { now = now.Add(d) }
}

func openBounded(t *testing.T, limit int) (stores.Store, func(time.Duration)) {
	open, advance := opener(t, limit)
	s := open()
	t.Cleanup(func() { _ = s.Close() })
	return s, advance
}

// openCrashing opens a store that, before every call, may be killed and opened
// again, and may write its file anew: nobody may notice.
func openCrashing(t *testing.T, limit int) (stores.Store, func(time.Duration)) {
	open, advance := opener(t, limit)
	s, random := open(), rand.New(rand.NewPCG(uint64(limit), 1))
	t.Cleanup(func() { _ = s.Close() })
	return storetest.Disturbed(func() stores.Store {
		switch random.IntN(50) {
		case 0:
			s.Crash()
			s = open()
		case 1:
			s.Compact()
		}
		return s
	}), advance
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (stores.Store, func(time.Duration)) { return openBounded(t, 100_000) })
}

func TestStoreFull(t *testing.T) { storetest.RunBounded(t, openBounded) }

func TestStoreCrashing(t *testing.T) {
	for seed := range uint64(40) {
		s, advance := openCrashing(t, 100_000)
		t.Logf("seed %d", seed)
		storetest.Play(t, s, advance, 0, storetest.Script(seed, 4096))
	}
}

func TestStoreCrashingFull(t *testing.T) {
	for _, limit := range []int{1, 3, 8} {
		for seed := range uint64(20) {
			s, advance := openCrashing(t, limit)
			t.Logf("limit %d, seed %d", limit, seed)
			storetest.Play(t, s, advance, limit, storetest.Script(seed, 4096))
		}
	}
}

// The file follows what is held, not what was ever done.
func TestBoundedOnDisk(t *testing.T) {
	const held, rounds = 1000, 400_000
	path := filepath.Join(t.TempDir(), "claims")
	s, err := disk.Open(path, held, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	most := int64(0)
	for n := range rounds {
		claimCommit(t, s, n)
		if n%1000 == 0 {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			most = max(most, info.Size())
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d claims held, %d made: at most %d bytes", held, rounds, most)
	if most > 10<<20 {
		t.Errorf("the file grew to %d bytes", most)
	}
	s = mustOpen(t, path)
	for n := rounds - held/2; n < rounds; n++ {
		if state(t, s, n) != core.Done {
			t.Fatalf("claim %d of the last ones is lost", n)
		}
	}
}

func TestCompactionUnderLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "claims")
	s := mustOpen(t, path)
	const workers, each = 4, 3000
	stop := make(chan struct{})
	var compacting, working sync.WaitGroup
	compacting.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				s.Compact()
			}
		}
	})
	for w := range workers {
		working.Go(func() {
			for n := w * each; n < (w+1)*each; n++ {
				claimCommit(t, s, n)
			}
		})
	}
	working.Wait()
	close(stop)
	compacting.Wait()
	s.Crash()
	s = mustOpen(t, path)
	for n := range workers * each {
		if got := state(t, s, n); got != core.Done {
			t.Fatalf("claim %d is %d after compaction and a crash", n, got)
		}
	}
}

func mustOpen(t testing.TB, path string) *disk.Store {
	t.Helper()
	s, err := disk.Open(path, 1_000_000, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func claimCommit(t testing.TB, s *disk.Store, n int) {
	var states [1]core.State
	token, keys := storetest.NewToken(uint64(n)), []core.Key{storetest.NewKey(uint64(n))}
	if err := s.Claim(context.Background(), token, keys, lease, states[:]); err != nil {
		t.Errorf("claim %d: %v", n, err)
	}
	if err := s.Commit(context.Background(), token, keys, window); err != nil {
		t.Errorf("commit %d: %v", n, err)
	}
}

// state asks with a claim, which it takes back.
func state(t testing.TB, s *disk.Store, n int) core.State {
	t.Helper()
	var states [1]core.State
	token, keys := core.Token{1}, []core.Key{storetest.NewKey(uint64(n))}
	if err := s.Claim(context.Background(), token, keys, lease, states[:]); err != nil {
		t.Error(err)
	}
	_ = s.Release(context.Background(), token, keys)
	return states[0]
}

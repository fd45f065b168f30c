package memory_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookward/hookward/caddy/stores/memory"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
)

const million = 1_000_000

// The worst case: all claims pending at once, and then all done, so that both
// schedules have been as large as the store.
func TestBytesPerClaim(t *testing.T) {
	for _, c := range []struct{ held, most int }{{1000, 200}, {100_000, 100}, {million, 100}} {
		if got := bytesPerClaim(t, c.held); got > c.most {
			t.Errorf("%d claims take %d bytes each, want at most %d", c.held, got, c.most)
		} else {
			t.Logf("%d claims take %d bytes each", c.held, got)
		}
	}
}

func bytesPerClaim(t testing.TB, held int) int {
	before := heap()
	s := memory.New(million)
	claimN(t, s, 0, held)
	commitN(t, s, 0, held)
	after := heap()
	if s.Len() != held {
		t.Fatalf("Len = %d, want %d", s.Len(), held)
	}
	return (int(after) - int(before)) / held
}

// heap is the memory of live objects, with what the allocator rounds them up to.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // the second sweeps what the first found
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestNoAllocationInFullStore(t *testing.T) {
	s := memory.New(2000)
	p := &pool{window: window}
	for range 2000 {
		p.claimCommit(t, s)
	}
	if got := testing.AllocsPerRun(1000, func() { p.claimCommit(t, s) }); got > 0.5 {
		t.Errorf("a claim and a commit allocate %v times, want 0", got)
	}
}

// Each store is full, so that every claim also gives one up.
func BenchmarkClaimCommit(b *testing.B) {
	for _, held := range []int{1000, 100_000, million} {
		bytes := bytesPerClaim(b, held)
		p := &pool{window: window}
		s := memory.New(held)
		for range held {
			p.claimCommit(b, s)
		}
		b.Run(fmt.Sprintf("serial/held=%d", held), func(b *testing.B) {
			for b.Loop() {
				p.claimCommit(b, s)
			}
		})
		b.Run(fmt.Sprintf("parallel/held=%d", held), func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					p.claimCommit(b, s)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
			b.ReportMetric(float64(bytes), "bytes/claim")
		})
	}
}

// The longest calls while the store fills up, with leases and windows that mix.
func BenchmarkFill(b *testing.B) {
	var p pool
	for b.Loop() {
		b.StopTimer()
		s := memory.New(million)
		took := make([]time.Duration, 0, 2*million)
		runtime.GC()
		b.StartTimer()
		for n := range million {
			p.window = window + time.Duration(n%7)*time.Hour
			one, key := p.next()
			start := time.Now()
			claimOne(b, s, one, key[:])
			claimed := time.Now()
			p.commit(b, s, one, key[:])
			took = append(took, claimed.Sub(start), time.Since(claimed))
		}
		b.StopTimer()
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
		b.ReportMetric(float64(took[len(took)/10_000*9_999]), "p99.99-ns")
		b.ReportMetric(float64(took[len(took)-1]), "max-ns")
		b.StartTimer()
	}
}

// pool deals keys that are all distinct.
type pool struct {
	dealt  atomic.Uint64
	window time.Duration
}

func (p *pool) next() (core.Token, [1]core.Key) {
	key := storetest.NewKey(p.dealt.Add(1))
	return core.Token(key), [1]core.Key{key}
}

func (p *pool) claimCommit(b testing.TB, s *memory.Store) {
	token, key := p.next()
	claimOne(b, s, token, key[:])
	p.commit(b, s, token, key[:])
}

func (p *pool) commit(b testing.TB, s *memory.Store, token core.Token, key []core.Key) {
	if err := s.Commit(context.Background(), token, key, p.window); err != nil {
		b.Error(err)
	}
}

func claimOne(b testing.TB, s *memory.Store, token core.Token, key []core.Key) {
	var states [1]core.State
	if err := s.Claim(context.Background(), token, key, lease, states[:]); err != nil || states[0] != core.Claimed {
		b.Errorf("Claim = %d, %v, want Claimed", states[0], err)
	}
}

package disk_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/hookward/hookward/caddy/stores/disk"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
)

// BenchmarkClaimCommit is a claim and its commit in a store that is full of done
// claims, so that each also gives one up and the file is written anew now and
// then. It reports the file's bytes for each claim, when it is largest, and how
// long opening it takes.
func BenchmarkClaimCommit(b *testing.B) {
	for _, held := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("held=%d", held), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "claims")
			s := openFor(b, path, held)
			for n := range held {
				claimCommit(b, s, n)
			}
			var next, largest atomic.Int64
			next.Store(int64(held))
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := next.Add(1)
					token, keys := storetest.NewToken(uint64(n)), [1]core.Key{storetest.NewKey(uint64(n))}
					var states [1]core.State
					if err := s.Claim(context.Background(), token, keys[:], lease, states[:]); err != nil {
						b.Error(err)
					}
					if err := s.Commit(context.Background(), token, keys[:], window); err != nil {
						b.Error(err)
					}
					if n%1000 == 0 {
						largest.Store(max(largest.Load(), fileSize(path)))
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
			b.ReportMetric(float64(largest.Load())/float64(held), "bytes/claim")
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
			start := time.Now()
			s = openFor(b, path, held)
			b.ReportMetric(float64(time.Since(start).Milliseconds()), "open-ms")
			_ = s.Close()
		})
	}
}

func openFor(b *testing.B, path string, held int) *disk.Store {
	s, err := disk.Open(path, held, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0 // just being put in place
	}
	return info.Size()
}

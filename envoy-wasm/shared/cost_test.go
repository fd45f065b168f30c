package shared_test

import (
	"fmt"
	"testing"

	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/envoy-wasm/shared"
)

// BenchmarkClaimCommit is a claim and its commit by one worker, with so many
// done claims held at first, and the bytes that each has there. It runs natively: in
// Envoy's machine it takes longer.
func BenchmarkClaimCommit(b *testing.B) {
	for _, held := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("held=%d", held), func(b *testing.B) {
			data := newFakeData()
			s := shared.New(data, held*3/2) // chance does not fill all groups alike
			for n := range held {
				claimCommit(b, s, uint64(n))
			}
			bytes := 0
			for key, value := range data.values {
				bytes += len(key) + len(value)
			}
			n := uint64(held)
			for b.Loop() {
				n++
				claimCommit(b, s, n)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
			b.ReportMetric(float64(bytes)/float64(held), "bytes/claim")
		})
	}
}

func claimCommit(b *testing.B, s *shared.Store, n uint64) {
	if state, err := claim(s, n); err != nil || state != core.Claimed {
		b.Fatalf("claim = %d, %v", state, err)
	}
	if err := s.Commit(now, token, []core.Key{storetest.NewKey(n)}, window); err != nil {
		b.Fatal(err)
	}
}

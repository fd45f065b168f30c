//go:build !wasip1

package httpstore

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/e2e/hosts"
)

// fillRedis makes done claims, as many as ARGV[1] says.
const fillRedis = `for n = 1, ARGV[1] do redis.call('SET', string.format('hookward:%032x', n), 'd', 'PX', 600000000) end`

// BenchmarkClaimCommit is a claim and its commit through webdis, by 16 callers
// at once, with so many done claims held. What each takes in Redis is printed by
// the benchmark of Caddy's redis store, which keeps the same.
func BenchmarkClaimCommit(b *testing.B) {
	for _, held := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("held=%d", held), func(b *testing.B) {
			redis := hosts.StartRedis(b)
			webdis := hosts.StartWebdis(b, redis.Address)
			redis.Ask(b, "EVAL", fillRedis, "0", fmt.Sprint(held))
			http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 16
			s := overHTTP{New(core.HTTPStore{API: "webdis", Cluster: "redis", Prefix: "hookward:"}), webdis.Address, 1}
			b.SetParallelism(8) // for each of two cores
			var next atomic.Uint64
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := next.Add(1)
					token, keys, states := storetest.NewToken(n), []core.Key{storetest.NewKey(n)}, make([]core.State, 1)
					if err := s.Claim(b.Context(), token, keys, time.Minute, states); err != nil || states[0] != core.Claimed {
						b.Errorf("claim = %d, %v", states[0], err)
					}
					if err := s.Commit(b.Context(), token, keys, time.Hour); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
		})
	}
}

package redis_test

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/hookward/hookward/caddy/stores/redis"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/e2e/hosts"
)

// BenchmarkClaimCommit is a claim and its commit by 16 callers at once, with so
// many done claims held. It reports what the server takes for each of these, and
// the CPU time that a claim and its commit cost here and there.
func BenchmarkClaimCommit(b *testing.B) {
	for _, held := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("held=%d", held), func(b *testing.B) {
			server := hosts.StartRedis(b)
			s := redis.Open(redis.Options{Addresses: []string{server.Address}, Timeout: 10 * time.Second}, zap.NewNop())
			defer s.Close()
			empty := usedMemory(b, server)
			fill(b, s, held)
			bytes := float64(usedMemory(b, server)-empty) / float64(held)
			b.SetParallelism(8) // for each of two cores
			var next atomic.Uint64
			next.Store(uint64(held))
			here, there := ownCPU(b), server.CPU(b)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := next.Add(1)
					claimCommit(b, s, storetest.NewToken(n), []core.Key{storetest.NewKey(n)})
				}
			})
			b.StopTimer()
			b.ReportMetric(bytes, "bytes/claim")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
			b.ReportMetric(float64((ownCPU(b)-here).Nanoseconds())/float64(b.N), "client-cpu-ns")
			b.ReportMetric(float64((server.CPU(b)-there).Nanoseconds())/float64(b.N), "server-cpu-ns")
		})
	}
}

func fill(b *testing.B, s *redis.Store, held int) {
	keys := make([]core.Key, 0, 1000)
	for n := range held {
		if keys = append(keys, storetest.NewKey(uint64(n))); len(keys) == cap(keys) || n == held-1 {
			claimCommit(b, s, storetest.NewToken(uint64(n)), keys)
			keys = keys[:0]
		}
	}
}

func claimCommit(b *testing.B, s *redis.Store, token core.Token, keys []core.Key) {
	states := make([]core.State, len(keys))
	if err := s.Claim(context.Background(), token, keys, lease, states); err != nil || states[0] != core.Claimed {
		b.Errorf("claim = %d, %v", states[0], err)
	}
	if err := s.Commit(context.Background(), token, keys, 8*24*time.Hour); err != nil {
		b.Error(err)
	}
}

var usedMemoryLine = regexp.MustCompile(`used_memory:(\d+)`)

func usedMemory(b *testing.B, server *hosts.Redis) int {
	found := usedMemoryLine.FindStringSubmatch(server.Ask(b, "INFO", "memory"))
	if found == nil {
		b.Fatal("INFO without used_memory")
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func ownCPU(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/load"
	"github.com/hookward/hookward/e2e/sign"
)

// The gate takes memory once in a process (V8, the compiled module, and the main
// thread's machine) and again for every worker. It is the latter that is held to
// 40 MiB here; both are printed, since with few workers the former weighs more.
const (
	memoryWorkers   = 8
	memoryPerWorker = 40 << 20
)

// TestEnvoyMemory sends 50,000 messages.
func TestEnvoyMemory(t *testing.T) { envoyMemory(t, 50_000) }

// BenchmarkEnvoyMemory sends 500,000, and says how soon Envoy was ready.
func BenchmarkEnvoyMemory(b *testing.B) {
	envoyMemory(b, 500_000)
	b.ReportMetric(0, "ns/op")
}

func envoyMemory(t testing.TB, messages int) {
	backend := hosts.StartSink(t)
	gate := hosts.Filter{
		Module: hosts.BuildWasm(t, "./envoy-wasm"), Name: "gate", HoldsHeaders: true,
		Config: `{"routes": [{"path": "/hook", "provider": "meta", "secrets": ["` + secret + `"]}], "replay": {"store": {"module": "shared", "max_claims": 10000}}}`,
	}
	plain, _ := memoryEnvoy(t, backend, memoryWorkers)
	single, ready := memoryEnvoy(t, backend, 1, gate.JSON())
	gated, _ := memoryEnvoy(t, backend, memoryWorkers, gate.JSON())
	const batch = 5_000
	var without, one, all int64
	for range 3 { // enough for these two: they are not watched for growth
		requests := randomMessages(batch)
		without, one = plain.serve(t, requests), single.serve(t, requests)
	}
	var early int64
	for sent := batch; sent <= messages; sent += batch {
		all = gated.serve(t, randomMessages(batch))
		if sent == messages/2/batch*batch {
			early = all
		}
	}
	worker := (all - one) / (memoryWorkers - 1)
	fmt.Printf("Envoy's memory with the gate and %d workers: %.1f MB halfway through %d messages, %.1f MB at the end, %.1f MB above Envoy alone; %.1f MB with 1 worker, so %.1f MB for each more; the first verdict came %v after the start\n",
		memoryWorkers, mb(early), messages, mb(all), mb(all-without), mb(one), mb(worker), ready.Round(time.Millisecond))
	if all > early+early/10 {
		t.Errorf("memory grew from %.1f to %.1f MB", mb(early), mb(all))
	}
	if worker > memoryPerWorker {
		t.Errorf("the gate takes %.1f MB a worker", mb(worker))
	}
}

type memorySite struct {
	*hosts.Envoy
	address string
}

// memoryEnvoy starts an Envoy, and measures how long that took to the first
// answer.
func memoryEnvoy(t testing.TB, backend string, workers int, filters ...map[string]any) (memorySite, time.Duration) {
	start := time.Now()
	envoy := hosts.StartEnvoy(t, hosts.NewestEnvoy(t), hosts.Bootstrap([]map[string]any{hosts.Listener("site", "backend", filters...)},
		hosts.Cluster("backend", backend)), "--concurrency", fmt.Sprint(workers))
	s := memorySite{envoy, envoy.Addresses(t)["site"]}
	s.serve(t, randomMessages(1))
	return s, time.Since(start)
}

// serve sends requests, and returns the memory that Envoy has after them.
func (s memorySite) serve(t testing.TB, requests [][]byte) int64 {
	t.Helper()
	result, err := load.Run(s.address, benchConnections, requests)
	if err != nil || result.Failed > 0 {
		t.Fatalf("%d of %d requests failed: %v", result.Failed, result.Requests, err)
	}
	return s.RSS(t)
}

// randomMessages are new messages of up to 16 KiB, most of them small.
func randomMessages(n int) [][]byte {
	requests := make([][]byte, n)
	for i := range requests {
		d := sign.New("meta", secret, "", "/hook")
		text := strings.Repeat("random ", rand.IntN(1<<rand.IntN(12)))
		d.Body = strings.Replace(d.Body, `"body":"`, `"body":"`+text, 1)
		d.Sign("meta", secret, "")
		requests[i] = []byte(headOf(d, lengthOf(d)) + d.Body)
	}
	return requests
}

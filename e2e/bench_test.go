package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/load"
)

// contender is one of the servers that are compared.
type contender struct {
	name    string
	process *hosts.Process
	address string
}

// A run is made of short turns, so that what else the machine does then meets
// all alike.
const (
	benchRuns        = 5
	benchTurns       = 5
	benchConnections = 16
	benchRequests    = 4_000
)

// measured is what came of one run: of all its turns together.
type measured struct{ perSecond, cpu float64 }

// compareLoad sends the same load to each in turns, so that a change in the
// machine's speed meets them alike, and prints medians of the runs: requests a
// second, their ratio to the first, and the process's CPU time a request.
func compareLoad(b *testing.B, prepare func(path, secret string, first, n int) [][]byte, all []contender) {
	rates, ratios, cpu := make([][]float64, len(all)), make([][]float64, len(all)), make([][]float64, len(all))
	next := 0
	for run := range benchRuns + 1 {
		results := oneRun(b, all, func() [][]byte {
			next += benchRequests
			return prepare("/hooks/meta", "s3cr3t-of-the-app", next, benchRequests)
		})
		if run == 0 {
			continue // the warm-up
		}
		for i, r := range results {
			rates[i] = append(rates[i], r.perSecond)
			ratios[i] = append(ratios[i], r.perSecond/results[0].perSecond)
			cpu[i] = append(cpu[i], r.cpu)
		}
	}
	fmt.Printf("%-28s %10s %8s %17s %14s\n", "", "requests/s", "ratio", "least to most", "CPU µs/request")
	for i, c := range all {
		fmt.Printf("%-28s %10.0f %8.3f %9.3f - %.3f %14.1f\n", c.name,
			median(rates[i]), median(ratios[i]), slices.Min(ratios[i]), slices.Max(ratios[i]), median(cpu[i]))
	}
	b.ReportMetric(median(ratios[len(all)-1]), "ratio")
	b.ReportMetric(0, "ns/op")
}

// oneRun gives every contender benchTurns turns.
func oneRun(b *testing.B, all []contender, prepare func() [][]byte) []measured {
	elapsed, cpu := make([]time.Duration, len(all)), make([]time.Duration, len(all))
	for range benchTurns {
		for i, c := range all {
			requests, before := prepare(), c.process.CPU(b)
			result, err := load.Run(c.address, benchConnections, requests)
			if err != nil || result.Failed > 0 {
				b.Fatalf("%s: %d of %d requests failed: %v", c.name, result.Failed, result.Requests, err)
			}
			elapsed[i] += result.Elapsed
			cpu[i] += c.process.CPU(b) - before
		}
	}
	const n = benchTurns * benchRequests
	results := make([]measured, len(all))
	for i := range all {
		results[i] = measured{n / elapsed[i].Seconds(), float64(cpu[i]/n) / float64(time.Microsecond)}
	}
	return results
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

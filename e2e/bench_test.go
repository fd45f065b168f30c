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

// Runs are short and many: what else the machine does then meets all alike.
const (
	benchRuns        = 25
	benchConnections = 16
	benchRequests    = 4_000
)

// compareLoad sends the same load to each in turns, so that a change in the
// machine's speed meets them alike, and prints medians: requests a second,
// their ratio to the first, and the process's CPU time a request.
func compareLoad(b *testing.B, prepare func(path, secret string, first, n int) [][]byte, all []contender) {
	rates, ratios, cpu := make([][]float64, len(all)), make([][]float64, len(all)), make([][]float64, len(all))
	next := 0
	for run := range benchRuns + 1 {
		for i, c := range all {
			requests := prepare("/hooks/meta", "s3cr3t-of-the-app", next, benchRequests)
			next += benchRequests
			before := c.process.CPU(b)
			result, err := load.Run(c.address, benchConnections, requests)
			if err != nil || result.Failed > 0 {
				b.Fatalf("%s: %d of %d requests failed: %v", c.name, result.Failed, result.Requests, err)
			}
			if run == 0 {
				continue // the warm-up
			}
			rates[i] = append(rates[i], result.PerSecond())
			ratios[i] = append(ratios[i], result.PerSecond()/rates[0][run-1])
			cpu[i] = append(cpu[i], float64((c.process.CPU(b)-before)/benchRequests)/float64(time.Microsecond))
		}
	}
	fmt.Printf("%-28s %10s %8s %14s\n", "", "requests/s", "ratio", "CPU µs/request")
	for i, c := range all {
		fmt.Printf("%-28s %10.0f %8.3f %14.1f\n", c.name, median(rates[i]), median(ratios[i]), median(cpu[i]))
	}
	b.ReportMetric(median(ratios[len(all)-1]), "ratio")
	b.ReportMetric(0, "ns/op")
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

package peers

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const (
	runs  = 5
	times = 20_000
)

// BenchmarkPeers measures all in turns, so that a change in the machine's speed
// meets them alike, and prints medians: nanoseconds, their ratio to the first
// of the same run, and allocations.
func BenchmarkPeers(b *testing.B) {
	took, ratios := make([][]float64, len(peers)), make([][]float64, len(peers))
	verify := make([]func() error, len(peers))
	for i, p := range peers {
		verify[i] = p.make(b)
	}
	for run := range runs + 1 {
		for i := range peers {
			ns := measure(b, i, verify[i])
			if run > 0 { // the first is the warm-up
				took[i] = append(took[i], ns)
				ratios[i] = append(ratios[i], ns/took[0][run-1])
			}
		}
	}
	fmt.Printf("%-44s %8s %8s %8s\n", "532 bytes", "ns", "ratio", "allocs")
	for i, p := range peers {
		allocs := testing.AllocsPerRun(1000, func() { _ = verify[i]() })
		fmt.Printf("%-44s %8.0f %8.2f %8.0f\n", p.name, median(took[i]), median(ratios[i]), allocs)
	}
	b.ReportMetric(median(ratios[1]), "ratio")
	b.ReportMetric(0, "ns/op")
}

func measure(b *testing.B, i int, verify func() error) float64 {
	start := time.Now()
	for range times {
		if err := verify(); err != nil {
			b.Fatalf("%s: %v", peers[i].name, err)
		}
	}
	return float64(time.Since(start).Nanoseconds()) / times
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

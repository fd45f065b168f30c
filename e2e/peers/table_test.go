package peers

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// A turn is short, a millisecond or so, and the median of many is a run's
// result: what else the machine does then meets all alike, or few turns.
const (
	runs  = 5
	turns = 41
	times = 500
)

// BenchmarkPeers measures all in turns and prints medians of the runs:
// nanoseconds, their ratio to the first of the same run, and allocations.
func BenchmarkPeers(b *testing.B) {
	took, ratios := make([][]float64, len(peers)), make([][]float64, len(peers))
	verify := make([]func() error, len(peers))
	for i, p := range peers {
		verify[i] = p.make(b)
	}
	for run := range runs + 1 {
		ns := oneRun(b, verify)
		if run == 0 {
			continue // the warm-up
		}
		for i := range peers {
			took[i] = append(took[i], ns[i])
			ratios[i] = append(ratios[i], ns[i]/ns[0])
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

// oneRun is the median turn of each.
func oneRun(b *testing.B, verify []func() error) []float64 {
	all := make([][]float64, len(verify))
	for range turns {
		for i := range verify {
			all[i] = append(all[i], measure(b, i, verify[i]))
		}
	}
	ns := make([]float64, len(verify))
	for i := range ns {
		ns[i] = median(all[i])
	}
	return ns
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

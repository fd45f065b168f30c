package e2e

import (
	"fmt"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/load"
)

// BenchmarkCaddyMemory holds the memory of a Caddy whose store is full against
// what it is 300,000 new messages later.
func BenchmarkCaddyMemory(b *testing.B) {
	const batch, fill, later = 20_000, 5, 15
	caddy := hosts.StartCaddy(b)
	backend := hosts.StartSink(b)
	gated := fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(b))
	err := caddy.Load(b, "text/caddyfile", fmt.Sprintf(`{
	admin %s
	auto_https off
}
http://%s {
	verify_webhook meta {
		secret s3cr3t-of-the-app
		replay {
			store memory {
				max_claims %d
			}
		}
	}
	reverse_proxy %s
}
`, caddy.Admin, gated, batch, backend))
	if err != nil {
		b.Fatal(err)
	}
	var full int64
	for i := range fill + later {
		if i == fill {
			full = caddy.RSS(b)
		}
		requests := load.WhatsApp("/hooks/meta", "s3cr3t-of-the-app", i*batch, batch)
		result, err := load.Run(gated, benchConnections, requests)
		if err != nil || result.Failed > 0 {
			b.Fatalf("%d of %d requests failed: %v", result.Failed, result.Requests, err)
		}
	}
	after := caddy.RSS(b)
	fmt.Printf("Caddy's memory with a full store: %.1f MB, after %d more messages %.1f MB\n", mb(full), later*batch, mb(after))
	if after > full+full/4 {
		b.Errorf("memory grew from %.1f to %.1f MB", mb(full), mb(after))
	}
	b.ReportMetric(float64(after)/float64(full), "ratio")
	b.ReportMetric(0, "ns/op")
}

func mb(bytes int64) float64 { return float64(bytes) / 1e6 }

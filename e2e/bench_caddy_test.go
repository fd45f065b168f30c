package e2e

import (
	"fmt"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/load"
)

// BenchmarkCaddy serves new signed WhatsApp messages through a Caddy with the
// gate and through the same Caddy without it, to the same backend, in turns.
func BenchmarkCaddy(b *testing.B) {
	caddy := hosts.StartCaddy(b)
	backend := hosts.StartSink(b)
	plain, gated := fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(b)), fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(b))
	err := caddy.Load(b, "text/caddyfile", fmt.Sprintf(`{
	admin %s
	auto_https off
}
http://%s {
	reverse_proxy %s
}
http://%s {
	verify_webhook meta {
		secret s3cr3t-of-the-app
	}
	reverse_proxy %s
}
`, caddy.Admin, plain, backend, gated, backend))
	if err != nil {
		b.Fatal(err)
	}
	compareLoad(b, load.WhatsApp, []contender{
		{"Caddy alone", caddy.Process, plain},
		{"Caddy with the gate", caddy.Process, gated},
	})
}

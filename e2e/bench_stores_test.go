package e2e

import (
	"fmt"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/load"
)

// BenchmarkStores serves new signed messages through one Caddy whose sites
// differ in their replay store alone, in turns. Redis runs on the same machine
// and takes its share of it.
func BenchmarkStores(b *testing.B) {
	redis := hosts.StartRedis(b)
	stores := []struct{ name, config string }{
		{"memory", "memory"},
		{"disk", "disk"},
		{"redis", "redis " + redis.Address + " {\n\t\t\t\ttimeout 1s\n\t\t\t}"}, // so that a busy machine fails no run
	}
	caddy := hosts.StartCaddy(b)
	backend := hosts.StartSink(b)
	config := fmt.Sprintf("{\n\tadmin %s\n\tauto_https off\n}\n", caddy.Admin)
	var all []contender
	for _, s := range stores {
		address := fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(b))
		config += fmt.Sprintf("http://%s {\n\tverify_webhook meta {\n\t\tsecret s3cr3t-of-the-app\n\t\treplay {\n\t\t\tstore %s\n\t\t}\n\t}\n\treverse_proxy %s\n}\n", address, s.config, backend)
		all = append(all, contender{"Caddy with " + s.name, caddy.Process, address})
	}
	if err := caddy.Load(b, "text/caddyfile", config); err != nil {
		b.Fatal(err)
	}
	compareLoad(b, load.WhatsApp, all)
}

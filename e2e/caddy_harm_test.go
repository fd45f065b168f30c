package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
)

// eachLastingStore runs a test with the global options of a Caddy whose claims
// outlive it, and the folder of its data.
func eachLastingStore(t *testing.T, test func(t *testing.T, global, data string)) {
	for name, global := range map[string]func(t *testing.T) string{
		"disk":  func(*testing.T) string { return onDisk },
		"redis": func(t *testing.T) string { return onRedis(hosts.StartRedis(t, durable...).Address) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, global(t), t.TempDir())
		})
	}
}

// TestReloads: while deliveries come and come again, the configuration is loaded 50
// times. Each reaches the backend once.
func TestReloads(t *testing.T) {
	t.Parallel()
	eachLastingStore(t, func(t *testing.T, global, data string) {
		backend := &tally{}
		s := siteKeeping(t, data, serve(t, backend), global, metaGate)
		f := startFlood(t, backend, s.Address)
		for i := range 50 {
			f.goesOn(t)
			s.load(t, global, fmt.Sprintf("header X-Load %d\n", i)+metaGate)
		}
		f.goesOn(t)
		f.count(t, 0)
		f.known(t)
	})
}

// TestKilled: while deliveries come Caddy is killed with kill -9 and started
// again, three times. All reach the backend; twice at most those that were
// between its answer and the commit, which nobody knows of.
func TestKilled(t *testing.T) {
	t.Parallel()
	gate := strings.Replace(metaGate, "secret", "replay {\nlease 2s\n}\nsecret", 1)
	eachLastingStore(t, func(t *testing.T, global, data string) {
		const kills = 3
		backend := &tally{}
		s := siteKeeping(t, data, serve(t, backend), global, gate)
		f := startFlood(t, backend, s.Address)
		for range kills {
			f.goesOn(t)
			s.Kill()
			s.Caddy = hosts.StartCaddy(t, "SECRET="+secret, "XDG_DATA_HOME="+data)
			s.load(t, global, gate)
		}
		f.goesOn(t)
		f.count(t, kills*floodSenders)
		f.known(t)
	})
}

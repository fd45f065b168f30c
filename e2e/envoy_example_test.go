package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// TestEnvoyExample: examples/envoy serves every provider, in every Envoy.
func TestEnvoyExample(t *testing.T) {
	eachEnvoy(t, func(t *testing.T, binary string) {
		backend := hosts.StartBackend(t)
		port := hosts.FreePort(t)
		config := exampleEnvoy(t, backend.Address, port)
		env := []string{"PUBLIC_URL=https://example.com", "META_VERIFY_TOKEN=" + secret}
		for _, name := range []string{"META_APP_SECRET", "TWILIO_AUTH_TOKEN", "TELEGRAM_SECRET_TOKEN", "AFRICASTALKING_KEY", "X_CONSUMER_SECRET", "ZAVU_SECRET", "TWABOT_SECRET", "VOBIZ_SECRET"} {
			env = append(env, name+"="+secret)
		}
		envoy := hosts.RunEnvoyFile(t, binary, config, env, "--concurrency", "1")
		envoy.WaitForListeners(t)
		s := &envoySite{envoy, fmt.Sprintf("127.0.0.1:%d", port)}
		for _, name := range core.Providers() {
			d := sign.New(name, secret, "https://example.com", "/hooks/"+name)
			s.send(t, d).want(t, 200)
			if seen := backend.Take(); len(seen) != 1 || seen[0].Header.Get("X-Hookward-Provider") != name {
				t.Errorf("%s: the backend saw %v", name, seen)
			}
			d = sign.New(name, "another secret, as long as a good one is", "https://example.com", "/hooks/"+name)
			s.send(t, d).want(t, 401)
		}
		raw(t, s.Address, "GET /hooks/meta?hub.mode=subscribe&hub.challenge=abc&hub.verify_token="+secret+" HTTP/1.1\r\nHost: a\r\n\r\n", nil).want(t, 200)
		raw(t, s.Address, "GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n", nil).want(t, 404)
		if seen := backend.Take(); len(seen) != 0 {
			t.Errorf("the backend saw %v", seen)
		}
		eventually(t, "labels are taken out of the metrics", func() bool {
			return strings.Contains(s.Get("/stats/prometheus"), `hookward_deliveries_total{name="zavu",provider="zavu",verdict="rejected",code="signature_mismatch"} 1`)
		})
		if strings.Contains(s.Output()+s.Get("/config_dump"), secret) {
			t.Error("a log line or /config_dump holds a secret")
		}
	})
}

// exampleEnvoy is the example's bootstrap with ports and paths of this test.
func exampleEnvoy(t *testing.T, backend string, port int) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(hosts.Root(t), "examples", "envoy", "envoy.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	_, backendPort, _ := net.SplitHostPort(backend)
	text := string(data)
	for _, change := range [][2]string{
		{"port_value: 8080", fmt.Sprintf("port_value: %d", port)},
		{"port_value: 9000", "port_value: " + backendPort},
		{"port_value: 9901", "port_value: 0"},
		{"bin/hookward.wasm}", hosts.BuildWasm(t, "./envoy-wasm") + "}"},
	} {
		if strings.Count(text, change[0]) != 1 {
			t.Fatalf("the example has %q %d times, want once", change[0], strings.Count(text, change[0]))
		}
		text = strings.Replace(text, change[0], change[1], 1)
	}
	path := filepath.Join(t.TempDir(), "envoy.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

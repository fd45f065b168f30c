package e2e

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/e2e/hosts"
)

// TestCaddyCases runs the core's cases through a real Caddy: each case gets a
// configuration of its own, with a replay store of its own.
func TestCaddyCases(t *testing.T) {
	caddy := hosts.StartCaddy(t)
	backend := hosts.StartBackend(t)
	address := fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(t))
	runCases(t, address, backend, func(t *testing.T, c *cases.Case) {
		if err := caddy.Load(t, "application/json", caddyConfig(t, caddy.Admin, address, backend.Address, c)); err != nil {
			t.Fatal(err)
		}
	})
}

// caddyConfig is Caddy's JSON with the case's gate in front of the backend. The
// loader stands for a trusted proxy, so that a case can name client, scheme and
// host.
func caddyConfig(t *testing.T, admin, address, backend string, c *cases.Case) string {
	t.Helper()
	var gate map[string]any
	if err := json.Unmarshal(c.Config, &gate); err != nil {
		t.Fatal(err)
	}
	gate["handler"] = "verify_webhook"
	replay, given := gate["replay"]
	if settings, ok := replay.(map[string]any); ok || !given {
		if settings == nil {
			settings = map[string]any{}
		}
		settings["store"] = map[string]any{"module": "memory", "name": c.Name}
		gate["replay"] = settings
	}
	config, err := json.Marshal(map[string]any{
		"admin": map[string]any{"listen": admin, "config": map[string]any{"persist": false}},
		"apps": map[string]any{"http": map[string]any{"servers": map[string]any{"cases": map[string]any{
			"listen":          []string{address},
			"automatic_https": map[string]any{"disable": true},
			"trusted_proxies": map[string]any{"source": "static", "ranges": []string{"127.0.0.1/32"}},
			"routes": []any{map[string]any{"handle": []any{
				gate,
				map[string]any{"handler": "reverse_proxy", "upstreams": []any{map[string]any{"dial": backend}}},
			}}},
		}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(config)
}

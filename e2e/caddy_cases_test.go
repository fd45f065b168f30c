package e2e

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/e2e/hosts"
)

// TestCaddyCases runs the core's cases through a real Caddy.
func TestCaddyCases(t *testing.T) {
	caddy := hosts.StartCaddy(t)
	backend := hosts.StartBackend(t)
	address := fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(t))
	all := hosted(t)
	if err := caddy.Load(t, "application/json", caddyConfig(t, caddy.Admin, address, backend.Address, all)); err != nil {
		t.Fatal(err)
	}
	runCases(t, func(int) string { return address }, backend, all)
}

// object is a JSON object.
type object = map[string]any

// caddyConfig is Caddy's JSON with the cases' gates in front of the backend.
// The test stands for a trusted proxy, so that a case can name client, scheme
// and host.
func caddyConfig(t *testing.T, admin, address, backend string, all []cases.Case) string {
	t.Helper()
	var routes []any
	for i := range all {
		gate := gateOf(t, i, &all[i])
		gate["handler"] = "verify_webhook"
		routes = append(routes, object{
			"match": []any{object{"header": object{caseHeader: []string{caseName(i)}}}},
			"handle": []any{
				object{"handler": "headers", "request": object{"delete": []string{caseHeader}}},
				gate,
				object{"handler": "reverse_proxy", "upstreams": []any{object{"dial": backend}}},
			},
			"terminal": true,
		})
	}
	config, err := json.Marshal(object{
		"admin": object{"listen": admin, "config": object{"persist": false}},
		"apps": object{"http": object{"servers": object{"cases": object{
			"listen":          []string{address},
			"automatic_https": object{"disable": true},
			"trusted_proxies": object{"source": "static", "ranges": []string{"127.0.0.1/32"}},
			"routes":          routes,
		}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(config)
}

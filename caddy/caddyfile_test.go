package hookward

import (
	"encoding/json"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// TestCaddyfileReadsEveryOption: an option that is read over would be a gate
// that checks less than it was told to.
func TestCaddyfileReadsEveryOption(t *testing.T) {
	d := caddyfile.NewTestDispenser(`verify_webhook meta {
		name inbox
		secret {env.A} {env.B}
		secret {env.C}
		verify_token {env.D}
		output original
		events message.* call.started
		max_body 2MiB
		allow_ips 192.0.2.0/24 private_ranges
		rate_limit 10/s 20
		max_age 1h
		sign_with {env.E}
		report_only
		public_url https://example.com
		replay {
			window 9d
			lease 30s
			on_error reject
			store memory inbox {
				max_claims 1000
			}
		}
	}`)
	gate := new(Gate)
	if err := gate.UnmarshalCaddyfile(d); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(gate)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"provider":"meta","name":"inbox","secrets":["{env.A}","{env.B}","{env.C}"],"verify_token":["{env.D}"],` +
		`"public_url":"https://example.com","output":"original","events":["message.*","call.started"],"max_body":"2MiB",` +
		`"allow_ips":["192.0.2.0/24","private_ranges"],"rate_limit":"10/s 20","max_age":"1h","sign_with":["{env.E}"],"report_only":true,` +
		`"replay":{"window":"9d","lease":"30s","on_error":"reject","store":{"max_claims":1000,"module":"memory","name":"inbox"}}}`
	if string(got) != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

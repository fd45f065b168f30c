package cases_test

import (
	"reflect"
	"testing"

	"github.com/hookward/hookward/core/cases"
)

// TestComparable: a case and what a host made of it are alike, and anything else
// that differs still does.
func TestComparable(t *testing.T) {
	forward := func(body string, header map[string][]string) cases.Want {
		return cases.Want{Outcome: "accepted", Forward: &cases.Forward{Method: "POST", Target: "/hook", Header: header, Body: body}}
	}
	answer := func(body string, header map[string]string) cases.Want {
		return cases.Want{Outcome: "rejected", Answer: &cases.Answer{Status: 401, Header: header, Body: body}}
	}
	fields := func(name, value string) map[string][]string { return map[string][]string{name: {value}} }
	for _, c := range []struct {
		what      string
		got, want cases.Want
		alike     bool
	}{
		{"time of receipt", forward(`{"receivedAt":"2026-01-01T00:00:00Z"}`, nil), forward(`{"receivedAt":"2026-02-02T00:00:00Z"}`, nil), true},
		{"time of the provider", forward(`{"timestamp":"2026-01-01T00:00:00Z","timestampSource":"provider"}`, nil), forward(`{"timestamp":"2026-02-02T00:00:00Z","timestampSource":"provider"}`, nil), false},
		{"name of the gate", forward(`{"endpoint":"case-7"}`, fields("x-hookward-endpoint", "case-7")), forward(`{"endpoint":"meta"}`, fields("X-Hookward-Endpoint", "meta")), true},
		{"name of another gate", forward(`{"endpoint":"case-8"}`, nil), forward(`{"endpoint":"meta"}`, nil), false},
		{"id with the time", forward(`{"id":"s:1768473000123"}`, nil), forward(`{"id":"s:1768473000999"}`, nil), true},
		{"another id", forward(`{"id":"s:1"}`, nil), forward(`{"id":"s:2"}`, nil), false},
		{"fields of a hop", forward("", fields(":path", "/hook")), forward("", fields("content-length", "3")), true},
		{"a field too many", forward("", fields("x-hub-signature-256", "a")), forward("", nil), false},
		{"a value", forward("", fields("Content-Type", "a")), forward("", fields("content-type", "b")), false},
		{"signature by the clock", forward("", fields("webhook-signature", "a")), forward("", fields("Webhook-Signature", "b")), true},
		{"instance", answer(`{"instance":"urn:uuid:81c07e47-5691-4675-b36e-4a785dff640d"}`, nil), answer(`{"instance":"urn:uuid:00000000-0000-4000-8000-000000000000"}`, nil), true},
		{"code", answer(`{"code":"stale"}`, nil), answer(`{"code":"ip_denied"}`, nil), false},
		{"field of an answer", answer("", map[string]string{"WWW-Authenticate": "Webhook"}), answer("", nil), false},
		{"answer and forward", answer("", nil), forward("", nil), false},
	} {
		got, want := c.got.Comparable().WithoutClock().Renamed("case-7", "meta"), c.want.Comparable().WithoutClock()
		if alike := reflect.DeepEqual(got, want); alike != c.alike {
			t.Errorf("%s: alike is %v, want %v\n got %s\nwant %s", c.what, alike, c.alike, got, want)
		}
	}
}

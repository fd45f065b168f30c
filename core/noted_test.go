package core_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/hookward/hookward/core"
)

// The log names where the signature should have stood, the answer does not.
func TestMissingAndMalformedTellThePlace(t *testing.T) {
	const header = "X-Hub-Signature-256"
	for _, c := range []struct {
		provider string
		header   fields
		code     core.Code
		want     string
	}{
		{"meta", nil, core.SignatureMissing, header},
		{"meta", fields{{header, "sha1=00"}}, core.SignatureMalformed, header},
		{"x", nil, core.SignatureMissing, "X-Twitter-Webhooks-Signature or X-Twitter-Webhooks-Signature-Oauth2"},
		{"africastalking", nil, core.SignatureMissing, "X-Api-Key or ?apiKey="},
		{"telegram", fields{{"X-Telegram-Bot-Api-Secret-Token", "a"}, {"X-Telegram-Bot-Api-Secret-Token", "b"}}, core.SignatureMalformed, "X-Telegram-Bot-Api-Secret-Token"},
	} {
		gate, err := core.New(core.Config{Provider: c.provider, Secrets: []string{"made up"}})
		if err != nil {
			t.Fatal(err)
		}
		_, v := gate.Begin(time.Unix(1768473000, 0), core.Head{Method: "POST", Target: "/hook", Header: c.header})
		if v == nil || v.Code != c.code {
			t.Fatalf("%s: verdict %+v, want %s", c.provider, v, c.code)
		}
		if !slices.Equal(v.Tried, []core.Field{{Name: "expected", Value: c.want}}) {
			t.Errorf("%s: the log is told %q, want %q", c.provider, v.Tried, c.want)
		}
	}
}

// The log says how old an event is that is too old, or not yet.
func TestOldAndEarlyTellTheAge(t *testing.T) {
	const secret = "made up"
	gate, err := core.New(core.Config{Provider: "vobiz", Secrets: []string{secret}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		timestamp string
		code      core.Code
		want      []core.Field
	}{
		{"2026-01-10T10:30:00Z", core.Stale, []core.Field{{Name: "event_age", Value: "5d"}, {Name: "max_age", Value: "27h"}}},
		{"2026-01-15T11:00:00Z", core.TimestampOutOfRange, []core.Field{{Name: "event_age", Value: "-30m"}}},
	} {
		body := `{"id":"evt_1","type":"message.received","timestamp":"` + c.timestamp + `","data":{}}`
		m := hmac.New(sha256.New, []byte(secret))
		m.Write([]byte(body))
		check, _ := gate.Begin(now, core.Head{Method: "POST", Target: "/hook", Header: fields{{"X-Vobiz-Signature", hex.EncodeToString(m.Sum(nil))}}})
		v := check.Body([]byte(body), core.BodyComplete)
		if v == nil || v.Code != c.code || !slices.Equal(v.Tried, c.want) {
			t.Errorf("%s: verdict %+v, want %s and %q", c.timestamp, v, c.code, c.want)
		}
	}
}

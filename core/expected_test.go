package core_test

import (
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

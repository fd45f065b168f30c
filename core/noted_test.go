package core_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/core"
)

// The log tells what was wrong with a head, the answer does not: of a signature
// where it should have stood, and how.
func TestHeadsAreNoted(t *testing.T) {
	const header, token = "X-Hub-Signature-256", "X-Telegram-Bot-Api-Secret-Token"
	note := func(name, value string) core.Field { return core.Field{Name: name, Value: value} }
	for _, c := range []struct {
		provider string
		header   fields
		code     core.Code
		want     []core.Field
	}{
		{"meta", nil, core.SignatureMissing, []core.Field{note("expected", header)}},
		{"meta", fields{{header, "sha1=00"}}, core.SignatureMalformed,
			[]core.Field{note("expected", header), note("form", "a single one: sha256= and 64 hex digits")}},
		{"vobiz", fields{{"X-Vobiz-Signature", "00"}}, core.SignatureMalformed,
			[]core.Field{note("expected", "X-Vobiz-Signature"), note("form", "a single one: 64 hex digits, with or without sha256= before them")}},
		{"twilio", fields{{"X-Twilio-Signature", "00"}}, core.SignatureMalformed,
			[]core.Field{note("expected", "X-Twilio-Signature"), note("form", "a single one: 28 characters of base64")}},
		{"x", nil, core.SignatureMissing, []core.Field{note("expected", "X-Twitter-Webhooks-Signature or X-Twitter-Webhooks-Signature-Oauth2")}},
		{"africastalking", nil, core.SignatureMissing, []core.Field{note("expected", "X-Api-Key or ?apiKey=")}},
		{"telegram", fields{{token, "a"}, {token, "b"}}, core.SignatureMalformed, []core.Field{note("expected", token), note("form", "a single one")}},
		{"meta", fields{{"Content-Encoding", "gzip"}}, core.ContentEncodingUnsupported, []core.Field{note("content_encoding", "gzip")}},
		{"meta", fields{{"Content-Encoding", strings.Repeat("x", 100)}}, core.ContentEncodingUnsupported,
			[]core.Field{note("content_encoding", strings.Repeat("x", 40))}},
	} {
		gate, err := core.New(core.Config{Provider: c.provider, Secrets: []string{"made up"}})
		if err != nil {
			t.Fatal(err)
		}
		_, v := gate.Begin(time.Unix(1768473000, 0), core.Head{Method: "POST", Target: "/hook", Header: c.header})
		if v == nil || v.Code != c.code {
			t.Fatalf("%s: verdict %+v, want %s", c.provider, v, c.code)
		}
		if !slices.Equal(v.Tried, c.want) {
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

// The log tells which method is not taken, how large a body was said to be, and
// which type kept parameters from being taken for such.
func TestRequestsAreNoted(t *testing.T) {
	gate, err := core.New(core.Config{Provider: "twilio", Secrets: []string{"made up"}, PublicURL: "https://example.com"})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1768473000, 0)
	begin := func(method string, length int64, more ...[2]string) (*core.Check, *core.Verdict) {
		header := append(fields{{"X-Twilio-Signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}}, more...)
		return gate.Begin(now, core.Head{Method: method, Target: "/hook", Header: header, ContentLength: length})
	}
	_, put := begin("PUT", 0)
	_, large := begin("POST", 2<<20)
	check, _ := begin("POST", 3, [2]string{"Content-Type", "text/plain"})
	plain := check.Body([]byte("a=b"), core.BodyComplete)
	for _, c := range []struct {
		verdict *core.Verdict
		code    core.Code
		want    core.Field
	}{
		{put, core.MethodNotAllowed, core.Field{Name: "method", Value: "PUT"}},
		{large, core.BodyTooLarge, core.Field{Name: "body_bytes", Value: "2097152"}},
		{plain, core.SignatureMismatch, core.Field{Name: "content_type", Value: "text/plain"}},
	} {
		if c.verdict == nil || c.verdict.Code != c.code || !slices.Contains(c.verdict.Tried, c.want) {
			t.Errorf("verdict %+v, want %s and %q", c.verdict, c.code, c.want)
		}
	}
}

package core_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/cases"
)

// realToken is what a CRC token of X's may be: nothing in it can begin a body.
var realToken = regexp.MustCompile(`^[A-Za-z0-9+/=_.~-]{1,200}$`)

// FuzzSignedToken holds the one answer that signs what a stranger chose to what
// it promises: it is given for real tokens alone, over the token and nothing
// else; and a real token, however it is encoded, gets it.
func FuzzSignedToken(f *testing.F) {
	const secret = "consumer-secret-of-the-app"
	gate, err := core.New(core.Config{Provider: "x", Secrets: []string{secret}})
	if err != nil {
		f.Fatal(err)
	}
	addChallenges(f)
	answer := func(query string) (string, bool) {
		_, v := gate.Begin(noon, core.Head{Method: "GET", Target: "/hook?" + query, Client: netip.MustParseAddr("192.0.2.1"), Header: fields{}})
		return string(v.Body), v.Outcome == core.Shaken
	}
	want := func(token string) string {
		h := hmac.New(sha256.New, []byte(secret))
		h.Write([]byte(token))
		return `{"response_token":"sha256=` + base64.StdEncoding.EncodeToString(h.Sum(nil)) + `"}`
	}
	f.Fuzz(func(t *testing.T, query string) {
		if got, ok := answer(query); ok {
			values, _ := url.ParseQuery(strings.ReplaceAll(query, "+", "%2B"))
			tokens := values["crc_token"]
			if len(tokens) != 1 || !realToken.MatchString(tokens[0]) || got != want(tokens[0]) {
				t.Errorf("%q was answered with %s", query, got)
			}
		}
		encoded := strings.ReplaceAll(url.QueryEscape(query), "+", "%20") // a bare plus would be a plus
		got, ok := answer("nonce=x&crc_token=" + encoded)
		if real := realToken.MatchString(query); ok != real || (ok && got != want(query)) {
			t.Errorf("token %q: answered %v with %s, is a real one %v", query, ok, got, real)
		}
	})
}

// addChallenges gives f the queries of the cases, their tokens, and every
// character by itself.
func addChallenges(f *testing.F) {
	all, err := cases.Load()
	if err != nil {
		f.Fatal(err)
	}
	for char := range 256 {
		f.Add(string([]byte{'a', byte(char)}))
	}
	added := 0
	for _, c := range all {
		if !strings.HasPrefix(c.Name, "x/crc_") {
			continue
		}
		_, query, _ := strings.Cut(c.Steps[0].Request.Target, "?")
		f.Add(query)
		f.Add(strings.TrimPrefix(query, "crc_token="))
		added++
	}
	if added < 30 {
		f.Fatalf("%d challenges: the cases of X's handshake are gone", added)
	}
}

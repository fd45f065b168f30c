package core_test

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/core/provider"
)

// FuzzTwilioForm: for every URL and body the core and the test's own reading of
// Twilio's rules call the same signatures good.
func FuzzTwilioForm(f *testing.F) {
	p := provider.ByName("twilio")
	all, err := cases.Load()
	if err != nil {
		f.Fatal(err)
	}
	added := 0
	for _, c := range all {
		config, _ := core.ParseConfig(c.Config)
		for _, s := range c.Steps {
			if config.Provider != "twilio" {
				continue
			}
			added++
			base := config.PublicURL
			if base == "" {
				base = s.Request.Scheme + "://" + s.Request.Host
			}
			contentType := strings.Join(fields(s.Request.Header).Values("Content-Type"), "")
			for which := range uint8(6) {
				f.Add(base, s.Request.Method == "GET", s.Request.Target, contentType, string(s.Request.Bytes()), which, "")
			}
			f.Add(base, false, s.Request.Target, contentType, string(s.Request.Bytes()), uint8(0), "x")
		}
	}
	if added == 0 {
		f.Fatal("no case is about twilio")
	}
	f.Add("https://user:pass@[::1]:8443/it's/", false, "/hook?a='b'", "", "b=2&a=1&b=1&b=2&c=", uint8(3), "")
	f.Fuzz(func(t *testing.T, base string, get bool, target, contentType, body string, which uint8, tweak string) {
		gate, err := core.New(core.Config{Provider: "twilio", Secrets: []string{fuzzSecret}, PublicURL: base})
		if err != nil || base == "" {
			return
		}
		method := "POST"
		if get {
			method = "GET"
		}
		if strings.HasSuffix(target, "bodySHA256=") {
			sum := sha256.Sum256([]byte(body))
			target += hex.EncodeToString(sum[:])
		}
		url := strings.TrimSuffix(base, "/") + target
		messages := twilioMessages(url, method, contentType, body)
		signed := url + tweak
		if len(messages) > 0 {
			signed = messages[int(which)%len(messages)] + tweak
		}
		r := &fuzzRequest{provider: p, method: method, target: target, contentType: contentType, body: body, credential: sealed(p.Auth, signed)}
		v := r.judge(gate)
		good := slices.Contains(messages, signed)
		if accepted := !slices.Contains(unauthentic, v.Code); accepted != good {
			t.Fatalf("%s %s, signed %q: %s %s, want good = %t", method, url, signed, v.Outcome, v.Code, good)
		}
	})
}

// The test's own computation is right itself: the vector in Twilio's
// documentation and in all of its libraries.
// https://www.twilio.com/docs/usage/security#validating-requests
func TestTwilioVector(t *testing.T) {
	body := "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
	want := "https://mycompany.com/myapp.php?foo=1&bar=2CallSidCA1234567890ABCDECaller+14158675309Digits1234From+14158675309To+18005551212"
	if got := twilioMessages("https://mycompany.com/myapp.php?foo=1&bar=2", "POST", "", body)[0]; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

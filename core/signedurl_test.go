package core_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/core"
)

const authToken = "0123456789abcdef0123456789abcdef"

func twilioGate(t testing.TB, publicURL string) *core.Gate {
	t.Helper()
	gate, err := core.New(core.Config{Provider: "twilio", Secrets: []string{authToken}, PublicURL: publicURL})
	if err != nil {
		t.Fatal(err)
	}
	return gate
}

// examine takes a form through the gate as far as the claims; a verdict of nil
// says that it is authentic and new.
func examine(gate *core.Gate, head core.Head, signature, body string) *core.Verdict {
	head.Method, head.ContentLength = "POST", int64(len(body))
	head.Header = http.Header{
		"Content-Type":       {"application/x-www-form-urlencoded"},
		"X-Twilio-Signature": {signature},
	}
	check, v := gate.Begin(time.Date(2026, 1, 15, 10, 30, 0, 0, time.UTC), head)
	if v == nil {
		v = check.Body([]byte(body), core.BodyComplete)
	}
	return v
}

func signTwilio(message string) string {
	m := hmac.New(sha1.New, []byte(authToken))
	m.Write([]byte(message))
	return base64.StdEncoding.EncodeToString(m.Sum(nil))
}

func TestURLThatNobodyKnows(t *testing.T) {
	signature := signTwilio("https://example.com/hook")
	for name, head := range map[string]core.Head{
		"no scheme": {Host: "example.com", Target: "/hook"},
		"no host":   {Scheme: "https", Target: "/hook"},
	} {
		v := examine(twilioGate(t, ""), head, signature, "")
		if v == nil || v.Code != core.HostMisconfigured {
			t.Fatalf("%s: verdict %+v, want %s", name, v, core.HostMisconfigured)
		}
		if len(v.Tried) != 1 || v.Tried[0].Name != "set" {
			t.Errorf("%s: the log is told %q, want what to set", name, v.Tried)
		}
		if v := examine(twilioGate(t, "https://example.com"), head, signature, ""); v != nil {
			t.Errorf("%s, with public_url: %s, want it to be authentic", name, v.Code)
		}
	}
}

// The log is told the URL that was tried, but no value of the query and no
// password: either may be a secret of the backend's.
func TestMismatchTellsTheURL(t *testing.T) {
	for _, c := range []struct{ publicURL, target, want string }{
		{"https://example.com", "/hook", "https://example.com/hook"},
		{"https://user:pass@example.com:8443/api", "/hook?key=s3cr3t&b", "https://example.com:8443/api/hook?key=…&b=…"},
		{"https://user@example.com", "/@hook?", "https://example.com/@hook?=…"},
	} {
		v := examine(twilioGate(t, c.publicURL), core.Head{Target: c.target}, signTwilio("another"), "Body=hello")
		if v == nil || v.Code != core.SignatureMismatch {
			t.Fatalf("verdict %+v, want %s", v, core.SignatureMismatch)
		}
		if !slices.Contains(v.Tried, core.Field{Name: "url_tried", Value: c.want}) {
			t.Errorf("the log is told %q, want %q", v.Tried, c.want)
		}
	}
}

// A public_url with the path that the provider was given, too, is the commonest
// slip: the operator is told at load, and with what did not match.
func TestPublicURLWithThePath(t *testing.T) {
	for _, c := range []struct {
		publicURL, target string
		noted, hinted     bool
	}{
		{"https://example.com", "/hooks/twilio", false, false},
		{"https://example.com/", "/", false, false},
		{"https://example.com/hooks/twilio", "/hooks/twilio?a=b", true, true},
		{"https://example.com/api/hooks/twilio", "/hooks/twilio", true, true},
		{"https://example.com/api", "/hooks/twilio", true, false},
	} {
		gate := twilioGate(t, c.publicURL)
		if noted := strings.Contains(strings.Join(gate.Notes(), "\n"), "public_url ends in a path"); noted != c.noted {
			t.Errorf("%s: the notes are %q", c.publicURL, gate.Notes())
		}
		v := examine(gate, core.Head{Target: c.target}, signTwilio("another"), "Body=hello")
		if hinted := slices.ContainsFunc(v.Tried, func(f core.Field) bool { return f.Name == "hint" }); hinted != c.hinted {
			t.Errorf("%s and %s: the log is told %q", c.publicURL, c.target, v.Tried)
		}
	}
}

// FuzzSignedForm holds the gate to Twilio's recipe as net/url reads forms: what
// it signs passes, and of other forms only those for which it signs the same.
func FuzzSignedForm(f *testing.F) {
	f.Add("/hook", "Body=hi&From=%2B1", "From=%2B1&Body=hi")
	f.Add("/hook?a=b'c", "b=2&a=1&a=1&a=0", "a=0&a=1&b=2")
	f.Add("/hook", "a=1&=2&c=", "c=&a=1")
	f.Add("//hook:80@x", "Body=%ff+%20&é=é", "Bodyhi=")
	gate := twilioGate(f, "https://example.com:8443")
	f.Fuzz(func(t *testing.T, target, body, other string) {
		_, query, _ := strings.Cut(target, "?")
		inQuery, isQuery := form(query)
		want, isBody := form(body)
		otherwise, isOther := form(other)
		if !isQuery || !isBody || !isOther || !strings.HasPrefix(target, "/") || strings.Contains(inQuery, "bodySHA256") {
			return // no form to net/url, no target, or a sum: the cases have those
		}
		head := core.Head{Target: target}
		for _, u := range []string{"https://example.com:8443", "https://example.com", "https://example.com:443"} {
			signature := signTwilio(u + target + want)
			if v := examine(gate, head, signature, body); v != nil && v.Delivery == "" {
				t.Errorf("%q with %q, signed at %s: %s", target, body, u, v.Code)
			}
			if v := examine(gate, head, signature, other); (v == nil || v.Delivery != "") && otherwise != want {
				t.Errorf("%q passes with %q's signature", other, body)
			}
		}
	})
}

// form is a form's part of what Twilio signs, if net/url takes it for a form.
func form(text string) (signed string, ok bool) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return "", false
	}
	var names []string
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		slices.Sort(values[name])
		for _, value := range slices.Compact(values[name]) {
			b.WriteString(name + value)
		}
	}
	return b.String(), true
}

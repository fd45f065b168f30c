package send_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/caddy/send"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/provider"
)

// samples are the event types that the core must make of each sample.
var samples = map[string]map[string][]string{
	"meta": {
		"whatsapp_text":  {"message.received"},
		"whatsapp_image": {"message.received"},
		"status":         {"message.delivered"},
		"batch":          {"message.received", "message.received"},
		"messenger":      {"message.received"},
		"instagram":      {"message.received"},
	},
	"twilio": {
		"sms":         {"message.received"},
		"mms":         {"message.received"},
		"whatsapp":    {"message.received"},
		"status":      {"message.delivered"},
		"voice":       {"call.started"},
		"gather":      {"call.input"},
		"call_status": {"call.completed"},
	},
	"telegram": {
		"text":     {"message.received"},
		"edited":   {"message.edited"},
		"callback": {"message.received"},
	},
	"africastalking": {
		"sms":        {"message.received"},
		"delivery":   {"message.delivered"},
		"ussd":       {"ussd.session_start"},
		"ussd_input": {"ussd.input"},
		"voice":      {"call.started"},
		"voice_end":  {"call.completed"},
	},
	"x": {
		"dm":     {"message.received"},
		"follow": {"x.follow_events"},
	},
	"zavu": {
		"inbound":   {"message.received"},
		"delivered": {"message.delivered"},
		"template":  {"template.approved"},
	},
	"twabot": {
		"received":     {"message.received"},
		"sent":         {"message.sent"},
		"conversation": {"conversation.created"},
	},
	"vobiz": {
		"received":  {"message.received"},
		"delivered": {"message.delivered"},
	},
}

const secret = "a-secret-of-more-than-32-characters-for-all"

func sender(p *provider.Provider) *send.Sender {
	return &send.Sender{
		Provider: p, Secret: secret, VerifyToken: "hello",
		URL: "http://localhost:8080/hooks/one?tenant=7", PublicURL: "https://user:pw@Example.com:8443/in/",
	}
}

// check runs a request through a gate of the core, as a host would.
func check(t *testing.T, p *provider.Provider, r *http.Request) *core.Verdict {
	t.Helper()
	c := core.Config{Provider: p.Name, Secrets: []string{secret}}
	if p.Auth.Signed == provider.URLAndForm {
		c.PublicURL = "https://user:pw@Example.com:8443/in/"
	}
	if p.Handshake != nil && p.Handshake.VerifyToken != "" {
		c.VerifyToken = []string{"hello"}
	}
	gate, err := core.New(c)
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			t.Fatal(err)
		}
	}
	step, v := gate.Begin(time.Now(), core.Head{
		Method: r.Method, Host: r.URL.Host, Target: r.URL.RequestURI(), Header: r.Header,
		Client: netip.MustParseAddr("127.0.0.1"), ContentLength: int64(len(body)),
		Instance: func() string { return "urn:uuid:0" },
	})
	if v == nil {
		v = step.Body(body, core.BodyComplete)
	}
	if v == nil {
		v = step.Claimed(slices.Repeat([]core.State{core.Claimed}, len(step.Keys())))
	}
	return v
}

func TestSamplesPassTheGate(t *testing.T) {
	for _, p := range provider.All() {
		if samples[p.Name] == nil && send.Samples(p) != nil {
			t.Errorf("the samples of %s are not in the table", p.Name)
		}
	}
	for name, wants := range samples {
		p := provider.ByName(name)
		if got := send.Samples(p); len(got) != len(wants) {
			t.Errorf("%s has the samples %v, the table knows %d", name, got, len(wants))
		}
		for sample, types := range wants {
			payload, err := send.Sample(p, sample, time.Now())
			if err != nil {
				t.Error(err)
				continue
			}
			r, err := sender(p).Delivery(payload)
			if err != nil {
				t.Fatal(err)
			}
			v := check(t, p, r)
			if v.Outcome != core.Accepted || !slices.Equal(v.Types, types) {
				t.Errorf("%s %s: %s %s %v, want accepted %v", name, sample, v.Outcome, v.Code, v.Types, types)
			}
		}
	}
}

func TestForgeriesAreRefused(t *testing.T) {
	for _, p := range provider.All() {
		payload, err := send.Sample(p, "", time.Now())
		if err != nil {
			t.Error(err)
			continue
		}
		r, err := sender(p).Forgery(payload)
		if err != nil {
			t.Fatal(err)
		}
		if v := check(t, p, r); v.Code != core.SignatureMismatch {
			t.Errorf("%s: a forgery is %s %q, want %s", p.Name, v.Outcome, v.Code, core.SignatureMismatch)
		}
	}
}

// TestPublicURL signs what the provider would: the URL that it was given, which
// may be told with its path.
func TestPublicURL(t *testing.T) {
	for _, c := range []struct{ public, url, want string }{
		{"", "http://localhost:8000/hooks/twilio?a=b", "http://localhost:8000/hooks/twilio?a=b"},
		{"https://example.com", "http://localhost/hooks/twilio?a=b", "https://example.com/hooks/twilio?a=b"},
		{"https://example.com/", "http://localhost/hooks/twilio", "https://example.com/hooks/twilio"},
		{"https://example.com/hooks/twilio", "http://localhost/hooks/twilio?a=b", "https://example.com/hooks/twilio?a=b"},
		{"https://example.com/api", "http://localhost/hooks/twilio", "https://example.com/api/hooks/twilio"},
		{"https://example.com", "http://localhost/example.com", "https://example.com/example.com"},
		{"https://example.com", "http://localhost/", "https://example.com/"},
	} {
		p := *provider.ByName("twilio")
		s := &send.Sender{Provider: &p, URL: c.url, PublicURL: c.public, Secret: "s"}
		r, err := s.Delivery(send.NewPayload(&p, nil))
		if err != nil {
			t.Fatal(err)
		}
		mac := hmac.New(sha1.New, []byte("s"))
		mac.Write([]byte(c.want))
		if got := r.Header.Get("X-Twilio-Signature"); got != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			t.Errorf("public URL %q and %s: signed is not %s", c.public, c.url, c.want)
		}
	}
}

// TestOtherBodies signs what is neither sample nor plain: a form with repeated
// and empty values, JSON where forms are usual.
func TestOtherBodies(t *testing.T) {
	for _, body := range []string{
		"MessageSid=SM1&Body=&a=2&a=1&a=2&A=caf%C3%A9+%26+more\n",
		`{"MessageSid":"SM1"}`,
	} {
		p := provider.ByName("twilio")
		r, err := sender(p).Delivery(send.NewPayload(p, []byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		if v := check(t, p, r); v.Outcome != core.Accepted {
			t.Errorf("%s: %s %s", body, v.Outcome, v.Code)
		}
	}
}

func TestSamplesAreFresh(t *testing.T) {
	for _, p := range provider.All() {
		for _, name := range send.Samples(p) {
			one, err := send.Sample(p, name, time.Unix(1e9, 0))
			if err != nil {
				t.Fatal(err)
			}
			two, err := send.Sample(p, name, time.Unix(1e9+7, 0))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(one.Body, two.Body) {
				t.Errorf("%s %s is always the same:\n%s", p.Name, name, one.Body)
			}
		}
	}
}

func TestUnknownSample(t *testing.T) {
	_, err := send.Sample(provider.ByName("meta"), "nonsense", time.Now())
	if err == nil || !strings.Contains(err.Error(), "whatsapp_text") {
		t.Errorf("error %v does not say what there is", err)
	}
	if _, err := send.Sample(&provider.Provider{Name: "nobody"}, "", time.Now()); err == nil {
		t.Error("a provider without samples has one")
	}
}

func TestHandshakes(t *testing.T) {
	shaken := 0
	for _, p := range provider.All() {
		s := sender(p)
		r, challenge, err := s.Handshake()
		if p.Handshake == nil {
			if err == nil {
				t.Errorf("%s: a handshake was made up", p.Name)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		v := check(t, p, r)
		if v.Outcome != core.Shaken || !s.Answers(challenge, v.Body) {
			t.Errorf("%s: %s %s, answer %s", p.Name, v.Outcome, v.Code, v.Body)
		}
		if s.Answers(challenge, append(v.Body, 'x')) {
			t.Errorf("%s: a wrong answer is taken", p.Name)
		}
		shaken++
	}
	if shaken < 2 {
		t.Errorf("only %d handshakes were tried", shaken)
	}
}

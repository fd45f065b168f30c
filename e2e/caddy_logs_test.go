package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// logLines are the lines of Caddy's log that hold this text.
func (s *caddySite) logLines(t *testing.T, text string) (lines []map[string]any) {
	t.Helper()
	for line := range strings.Lines(s.Output()) {
		if !strings.Contains(line, text) || !strings.HasSuffix(line, "\n") {
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v in the log line %s", err, line)
		}
		lines = append(lines, fields)
	}
	return lines
}

// logLine waits for a line of Caddy's log that holds this text.
func (s *caddySite) logLine(t *testing.T, text string) map[string]any {
	t.Helper()
	var lines []map[string]any
	eventually(t, "the log says "+text, func() bool {
		lines = s.logLines(t, text)
		return len(lines) > 0
	})
	return lines[0]
}

// accessLog is a site's access log as the examples have it: without the fields
// in which providers put tokens.
const accessLog = `
	log {
		format filter {
			request>headers>X-Api-Key delete
			request>headers>X-Telegram-Bot-Api-Secret-Token delete
			request>headers>X-Hub-Signature-256 delete
			request>headers>X-Twilio-Signature delete
			request>headers>X-Twitter-Webhooks-Signature delete
			request>headers>X-Zavu-Signature delete
			request>headers>X-Twabot-Signature delete
			request>headers>X-Vobiz-Signature delete
			request>uri query {
				delete apiKey
				delete hub.verify_token
			}
		}
	}
`

// TestCaddyLogsHoldNothingPrivate: with everything switched on that a gate and
// its neighbours may log, no secret, signature, message or number is in it.
func TestCaddyLogsHoldNothingPrivate(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := newSite(t, backend)
	s.load(t, "debug", accessLog+allGates("")+"respond 200")
	var private []string
	for _, p := range sign.Providers {
		for _, key := range []string{secret, "another secret"} {
			d := sign.New(p, key, "https://example.com", "/"+p)
			private = append(private, d.Private...)
			s.send(t, d)
			s.send(t, d)
			d.Body += "x"
			s.send(t, d)
		}
	}
	for _, target := range []string{
		"/africastalking?apiKey=" + secret,
		"/meta?hub.mode=subscribe&hub.challenge=c1c2c3&hub.verify_token=" + secret,
		"/meta?hub.mode=subscribe&hub.challenge=c1c2c3&hub.verify_token=another+secret",
	} {
		d := sign.Delivery{Method: "GET", Target: target, Header: http.Header{}}
		if strings.HasPrefix(target, "/afr") {
			d.Method = "POST"
		}
		s.send(t, d)
	}
	s.waitForLog(t, "denied_for")
	eventually(t, "the last request is in the access log", func() bool {
		return len(s.logLines(t, `"msg":"handled request"`)) == 6*len(sign.Providers)+3
	})
	log := s.Output()
	for _, text := range append(private, "another secret", "another+secret", "another%20secret") {
		if strings.Contains(log, text) {
			t.Errorf("the log holds %q", text)
		}
	}
}

// TestCaddyErrorLogHoldsNoSecret: when the backend is gone Caddy logs the error
// with the request as it came, unfiltered; a token is then in it.
func TestCaddyErrorLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	s := newSite(t, &recorder{})
	dead := fmt.Sprintf("\nreverse_proxy 127.0.0.1:%d", hosts.FreePort(t))
	s.load(t, "", allGates("")+dead)
	for _, p := range sign.Providers {
		s.send(t, sign.New(p, secret, "https://example.com", "/"+p)).want(t, 502)
	}
	d := sign.New("africastalking", secret, "", "/africastalking?apiKey="+secret)
	d.Header.Del("X-Api-Key")
	s.send(t, d).want(t, 502)
	s.waitForLog(t, "error behind the gate")
	eventually(t, "all errors are logged", func() bool { return len(s.logLines(t, "connection refused")) == len(sign.Providers)+1 })
	if strings.Contains(s.Output(), secret) {
		t.Error("the log holds the secret")
	}
	// Error routes go on to work, and log nothing of it.
	s.load(t, "", allGates("")+dead+"\nhandle_errors {\nrespond sorry {err.status_code}\n}")
	if a := s.send(t, sign.New("telegram", secret, "", "/telegram")); a.Status != 502 || a.Body != "sorry" {
		t.Errorf("got %v, want the error route's answer", a)
	}
	if strings.Contains(s.Output(), secret) {
		t.Error("the log holds the secret")
	}
}

// allGates is a gate for each provider, at the path of its name.
func allGates(options string) string {
	var b strings.Builder
	for _, p := range sign.Providers {
		fmt.Fprintf(&b, "verify_webhook /%s %s {\nsecret {env.SECRET}\n%s\n", p, p, options)
		switch p {
		case "twilio":
			b.WriteString("public_url https://example.com\n")
		case "meta":
			b.WriteString("verify_token {env.SECRET}\n")
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// TestCaddyRejectionLog: a rejection's line says what an operator needs, and
// its instance is the one that the sender was told.
func TestCaddyRejectionLog(t *testing.T) {
	t.Parallel()
	s := siteWith(t, &recorder{}, `
		verify_webhook /twilio twilio {
			secret {env.SECRET}
			public_url https://user:pass@example.com
		}
		verify_webhook /meta meta {
			name inbox
			secret {env.SECRET}
			verify_token {env.SECRET}
		}
		respond 200`)
	a := s.send(t, sign.New("twilio", "another", "https://example.com", "/twilio?token=hidden"))
	a.wantCode(t, 401, "signature_mismatch")
	var problem struct{ Instance string }
	if err := json.Unmarshal([]byte(a.Body), &problem); err != nil {
		t.Fatal(err)
	}
	line := s.logLine(t, problem.Instance)
	for field, want := range map[string]any{
		"level": "warn", "msg": "webhook rejected", "name": "twilio", "provider": "twilio", "verdict": "rejected",
		"code": "signature_mismatch", "url_tried": "https://example.com/twilio?token=…", "secrets_tried": "1",
	} {
		if line[field] != want {
			t.Errorf("%s is %v, want %v", field, line[field], want)
		}
	}
	for query, reason := range map[string]string{
		"hub.challenge=1&hub.verify_token=x":                    "hub.mode",
		"hub.mode=subscribe&hub.verify_token=x":                 "hub.challenge",
		"hub.mode=subscribe&hub.challenge=1&hub.verify_token=x": "hub.verify_token",
	} {
		s.send(t, sign.Delivery{Method: "GET", Target: "/meta?" + query}).wantCode(t, 403, "handshake_denied")
		s.waitForLog(t, `"denied_for":"`+reason+`"`)
	}
}

// TestCaddyRejectionsAreSampled: a flood of forgeries is no flood of lines.
func TestCaddyRejectionsAreSampled(t *testing.T) {
	t.Parallel()
	s := siteWith(t, &recorder{}, metaGate)
	client := &http.Client{Transport: &http.Transport{}}
	forged := meta()
	forged.Sign("meta", "another", "")
	const flood = 500
	start := time.Now()
	for range flood {
		if a, err := s.trySend(t.Context(), client, forged); err != nil || a.Status != 401 {
			t.Fatalf("got %v (%v)", a, err)
		}
	}
	seconds := int(time.Since(start).Seconds()) + 2 // begun, at most
	unsigned := meta()
	unsigned.Header.Del("X-Hub-Signature-256")
	s.send(t, unsigned).wantCode(t, 401, "signature_missing")
	if n := s.metric(t, `hookward_deliveries_total{code="signature_mismatch",name="meta",provider="meta",verdict="rejected"}`); n != flood {
		t.Errorf("%v of %d rejections were counted", n, flood)
	}
	s.Stop() // its log is whole
	if lines := len(s.logLines(t, "signature_mismatch")); lines < 20 || lines > 20*seconds+flood/100 {
		t.Errorf("%d rejections made %d lines in %d seconds; want 20 for each, and one in a hundred more", flood, lines, seconds)
	}
	if lines := s.logLines(t, "signature_missing"); len(lines) != 1 {
		t.Errorf("of a rejection for another reason the log says %q", lines)
	}
}

// TestCaddyAccessLogFields: what was accepted is told by the access log.
func TestCaddyAccessLogFields(t *testing.T) {
	t.Parallel()
	backend := &recorder{}
	s := siteWith(t, backend, accessLog+metaGate)
	d := meta()
	s.send(t, d).want(t, 200)
	s.send(t, d).wantDuplicate(t)
	eventually(t, "both requests are in the access log", func() bool { return len(s.logLines(t, `"msg":"handled request"`)) == 2 })
	delivery := backend.one(t).Header.Get("X-Hookward-Delivery")
	for i, verdict := range []string{"accepted", "duplicate"} {
		fields, _ := s.logLines(t, `"msg":"handled request"`)[i]["webhook"].(map[string]any)
		for field, want := range map[string]any{"name": "meta", "provider": "meta", "verdict": verdict, "delivery": delivery, "assurance": "signature"} {
			if fields[field] != want {
				t.Errorf("request %d: %s is %v, want %v", i, field, fields[field], want)
			}
		}
		if took, _ := fields["gate_duration"].(float64); took <= 0 {
			t.Errorf("request %d: gate_duration is %v", i, fields["gate_duration"])
		}
		if events := fields["events"]; verdict == "accepted" && events != 1.0 {
			t.Errorf("request %d: events is %v", i, events)
		}
	}
}

// TestCaddyPlaceholders are there for accepted and for rejected deliveries.
func TestCaddyPlaceholders(t *testing.T) {
	t.Parallel()
	const all = "{http.webhook.name} {http.webhook.provider} {http.webhook.event} {http.webhook.verdict} {http.webhook.code} {http.webhook.assurance} {http.webhook.delivery}"
	backend := &recorder{}
	s := siteWith(t, backend, `
		header >X-All "`+all+`"
		verify_webhook meta {
			name inbox
			secret {env.SECRET}
		}
		reverse_proxy BACKEND {
			header_up X-All "`+all+`"
		}`)
	d := meta()
	a := s.send(t, d)
	seen := backend.one(t)
	want := "inbox meta message.received accepted  signature " + seen.Header.Get("X-Hookward-Delivery")
	if got := seen.Header.Get("X-All"); got != want {
		t.Errorf("the backend saw %q, want %q", got, want)
	}
	if got := a.Header.Get("X-All"); got != want {
		t.Errorf("the sender saw %q, want %q", got, want)
	}
	d.Sign("meta", "another", "")
	if got := strings.TrimSpace(s.send(t, d).Header.Get("X-All")); got != "inbox meta  rejected signature_mismatch none" {
		t.Errorf("of a rejected delivery the sender saw %q", got)
	}
}

// TestCaddyNotesAtLoad: what an operator should know when a configuration is
// loaded.
func TestCaddyNotesAtLoad(t *testing.T) {
	t.Parallel()
	s := siteWith(t, &recorder{}, `
		verify_webhook /meta meta {
			secret a-literal-secret
			replay {
				window 8d
			}
		}
		verify_webhook /zavu zavu {
			secret {env.SECRET}
			report_only
		}
		reverse_proxy BACKEND`)
	for _, text := range []string{
		"1,000,000 claims over 8d hold 1.4 events a second",
		"secret (JSON: secrets) stands literally in the configuration",
		"verify_token is not set: every handshake is denied",
		"report_only: nothing is rejected and nothing is claimed",
	} {
		s.waitForLog(t, text)
	}
	if strings.Contains(s.Output(), "a-literal-secret") {
		t.Error("the log holds the secret")
	}
}

// TestCaddyTrace: Caddy's trace of handlers prints each one's configuration,
// but not a gate's secrets.
func TestCaddyTrace(t *testing.T) {
	t.Parallel()
	s := newSite(t, &recorder{})
	s.load(t, "debug\nservers {\ntrace\n}", "log\n"+strings.Replace(metaGate, "{env.SECRET}", secret, 1))
	s.send(t, meta()).want(t, 200)
	s.waitForLog(t, `"logger":"http.log.trace"`)
	if strings.Contains(s.Output(), secret) {
		t.Error("the trace holds the secret")
	}
}

// TestCaddyEvents: rejections go through Caddy's events app.
func TestCaddyEvents(t *testing.T) {
	t.Parallel()
	s := newSite(t, &recorder{})
	s.load(t, "debug", metaGate)
	forged := meta()
	forged.Sign("meta", "another", "")
	s.send(t, forged).want(t, 401)
	line := s.logLine(t, `"name":"webhook.rejected"`)
	data, _ := line["data"].(map[string]any)
	if data["code"] != "signature_mismatch" || data["name"] != "meta" || data["provider"] != "meta" {
		t.Errorf("the event is %v", line)
	}
}

package hookward

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hookward/hookward/core/provider"
)

// webhook runs "caddy webhook" with these arguments.
func webhook(stdin string, args ...string) (string, error) {
	cmd := &cobra.Command{Use: "webhook", SilenceUsage: true, SilenceErrors: true}
	addCommands(cmd)
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&out)
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetArgs(args)
	err := cmd.Execute()
	return out.String(), err
}

// gateStub answers as told and remembers the requests.
type gateStub struct {
	status      int
	contentType string
	answer      string
	seen        []*http.Request
	body        string
}

func (s *gateStub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.seen, s.body = append(s.seen, r), string(body)
	w.Header().Set("Content-Type", s.contentType)
	w.WriteHeader(s.status)
	_, _ = io.WriteString(w, s.answer)
}

func startStub(t *testing.T, s *gateStub) string {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

func TestSend(t *testing.T) {
	stub := &gateStub{status: 200, contentType: "text/plain", answer: "CON hello\n"}
	url := startStub(t, stub)
	t.Setenv("SEND_TEST_SECRET", "not-to-be-shown")

	out, err := webhook(`{"object":"page"}`, "send", "meta", "--to", url+"/hooks/meta", "--secret", "{env.SEND_TEST_SECRET}", "--file", "-", "--repeat", "2")
	if err != nil {
		t.Fatal(err)
	}
	if len(stub.seen) != 2 || stub.body != `{"object":"page"}` || stub.seen[0].URL.Path != "/hooks/meta" {
		t.Errorf("%d requests, the last %s with %s", len(stub.seen), stub.seen[0].URL, stub.body)
	}
	for _, want := range []string{"> X-Hub-Signature-256: sha256=", "< 200 OK", "< Content-Type: text/plain", "< | CON hello", "accepted"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	mustNotShow(t, out, "not-to-be-shown")
}

func TestSendShowsNoToken(t *testing.T) {
	for _, name := range []string{"telegram", "africastalking"} {
		stub := &gateStub{status: 200}
		out, err := webhook("", "send", name, "--to", startStub(t, stub), "--secret", "not-to-be-shown")
		if err != nil {
			t.Fatal(err)
		}
		mustNotShow(t, out, "not-to-be-shown")
	}
	stub := &gateStub{status: 200}
	out, err := webhook("", "send", "meta", "--handshake", "--to", startStub(t, stub), "--verify-token", "not-to-be-shown")
	if err == nil || !strings.Contains(err.Error(), "another answer") {
		t.Errorf("an empty answer to a handshake: %v", err)
	}
	if got := stub.seen[0].URL.Query().Get("hub.verify_token"); got != "not-to-be-shown" {
		t.Errorf("verify token %q was sent", got)
	}
	mustNotShow(t, out, "not-to-be-shown")
}

func mustNotShow(t *testing.T, out, secret string) {
	t.Helper()
	if strings.Contains(out, secret) {
		t.Errorf("the secret shows in\n%s", out)
	}
}

func TestSendExplainsRejections(t *testing.T) {
	url := startStub(t, &gateStub{status: 401, contentType: "application/problem+json",
		answer: `{"code":"signature_mismatch","detail":"The signature or token does not match the request."}`})
	_, err := webhook("", "send", "meta", "--to", url, "--secret", "s")
	if err == nil || !strings.Contains(err.Error(), "signature_mismatch: The signature") || !strings.Contains(err.Error(), "public_url") {
		t.Errorf("error %v", err)
	}
	url = startStub(t, &gateStub{status: 302})
	if _, err = webhook("", "send", "meta", "--to", url, "--secret", "s"); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("error %v", err)
	}
}

// A forgery that is refused is what was asked for.
func TestSendForgery(t *testing.T) {
	for _, c := range []struct {
		stub gateStub
		want string // in the error, "" for none
	}{
		{gateStub{status: 401, contentType: "application/problem+json", answer: `{"code":"signature_mismatch"}`}, ""},
		{gateStub{status: 401, contentType: "application/problem+json", answer: `{"code":"signature_missing"}`}, "not for its signature"},
		{gateStub{status: 404}, "not for its signature: 404: there is no gate"},
		{gateStub{status: 200}, "accepted"},
	} {
		out, err := webhook("", "send", "meta", "--to", startStub(t, &c.stub), "--secret", "s", "--forge")
		switch {
		case c.want == "" && (err != nil || !strings.HasSuffix(out, "refused, as a forgery must be: signature_mismatch\n")):
			t.Errorf("a forgery that is refused: %v\n%s", err, out)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("a forgery that gets %d %s: %v, want %q", c.stub.status, c.stub.answer, err, c.want)
		}
	}
}

// Of several requests one that fails is enough.
func TestSendFailsIfOneFails(t *testing.T) {
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n == 1 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	if _, err := webhook("", "send", "meta", "--to", server.URL, "--secret", "s", "--repeat", "2"); err == nil || n != 2 {
		t.Errorf("%d requests, error %v", n, err)
	}
}

func TestSendRefuses(t *testing.T) {
	config := writeConfig(t, sites)
	for _, c := range []struct{ args, want string }{
		{"meta --secret s", "--to"},
		{"meta --to http://localhost:1", "--secret"},
		{"x --to http://localhost:1 --handshake", "--secret"},
		{"meta --to http://localhost:1 --handshake", "--verify-token"},
		{"--to http://localhost:1 --secret s", "as which provider"},
		{"nobody --to http://localhost:1 --secret s", "unknown provider"},
		{"meta --to http://localhost:1 --secret {env.SEND_TEST_UNSET}", "secret: a placeholder is unknown or empty: set SEND_TEST_UNSET"},
		{"meta --to http://localhost:1 --secret s --sample x", "whatsapp_text"},
		{"telegram --to http://localhost:1 --secret s --handshake", "no handshake"},
		{"meta --to http://localhost:1 --secret s --sample x --file y", "sample"},
		{"meta --to ftp://localhost --secret s", "http:// or https://"},
		{"--config /does/not/exist", "/does/not/exist"},
		{"--config " + config, "choose one by --name (known: "},
		{"zavu --config " + config, `no gate of "zavu" (known: meta, sms (twilio), telegram, `},
		{"--name outbox --config " + config, `no gate with the name "outbox" (known: `},
		{"meta --name sms --config " + config, `no gate of "meta" with the name "sms" (known: `},
	} {
		_, err := webhook("", append([]string{"send"}, strings.Fields(c.args)...)...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("send %s: error %v, want %q in it", c.args, err, c.want)
		}
	}
}

const sites = `
example.com {
	handle /hooks/meta/* {
		verify_webhook meta {
			secret {env.A}
		}
	}
	verify_webhook /direct twilio {
		name sms
		secret {env.A}
		public_url https://public.example
	}
}
:8080 {
	verify_webhook telegram {
		secret {env.A}
	}
}
http://127.0.0.1:9999, http://localhost:9998 {
	route /deep/* {
		route {
			verify_webhook /deep/down x {
				secret {env.A}
			}
		}
	}
}
localhost:8443 {
	verify_webhook vobiz {
		secret {env.A}
	}
}
`

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEndpoints(t *testing.T) {
	all, err := readEndpoints(writeConfig(t, sites), "")
	if err != nil {
		t.Fatal(err)
	}
	urls := map[string][]string{}
	for _, e := range all {
		urls[e.name()] = append(urls[e.name()], e.base+e.path)
	}
	for name, want := range map[string]string{
		"meta":     "https://example.com/hooks/meta/",
		"sms":      "https://example.com/direct",
		"telegram": "http://localhost:8080/",
		"vobiz":    "https://localhost:8443/",
	} {
		if len(urls[name]) != 1 || urls[name][0] != want {
			t.Errorf("%s is at %v, want %s", name, urls[name], want)
		}
	}
	if len(urls["x"]) != 2 {
		t.Errorf("x is at %v, want both its ports", urls["x"])
	}
}

func TestSendFromConfig(t *testing.T) {
	stub := &gateStub{status: 200}
	url := startStub(t, stub)
	t.Setenv("A", "a")
	out, err := webhook("", "send", "--config", writeConfig(t, sites), "--name", "sms", "--to", url)
	if err != nil {
		t.Fatal(err)
	}
	if stub.seen[0].URL.Path != "/direct" || stub.seen[0].Header.Get("X-Twilio-Signature") == "" {
		t.Errorf("sent\n%s", out)
	}
}

// An address is enough, as it is for curl.
func TestSendToAnAddress(t *testing.T) {
	stub := &gateStub{status: 200}
	address := strings.TrimPrefix(startStub(t, stub), "http://")
	out, err := webhook("", "send", "twilio", "--to", address+"/hooks/twilio", "--secret", "s", "--public-url", "https://user:pass@example.com/hooks/twilio")
	if err != nil || stub.seen[0].URL.Path != "/hooks/twilio" {
		t.Errorf("%v\n%s", err, out)
	}
	if !strings.Contains(out, "* signed for https://user:xxxxx@example.com/hooks/twilio\n") {
		t.Errorf("the URL that is signed is not in\n%s", out)
	}
}

func TestSendMendsWhatGetsNoAnswer(t *testing.T) {
	plain, secure := httptest.NewServer(nil), httptest.NewTLSServer(&gateStub{status: 200})
	defer secure.Close()
	plain.Close()
	for url, want := range map[string]string{plain.URL: "does the server run?", secure.URL: "--insecure"} {
		if _, err := webhook("", "send", "meta", "--to", url, "--secret", "s"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
	if out, err := webhook("", "send", "meta", "--to", secure.URL, "--secret", "s", "--insecure"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestUnknownSubcommand(t *testing.T) {
	if _, err := webhook("", "sned"); err == nil {
		t.Error("webhook sned is no error")
	}
	if out, err := webhook(""); err != nil || !strings.Contains(out, "providers") {
		t.Errorf("webhook alone: %v\n%s", err, out)
	}
}

func TestProvidersTellsEverything(t *testing.T) {
	out, err := webhook("", "providers")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range provider.All() {
		for _, want := range []string{p.Name + ": ", p.Identity, p.Retries, p.ReplayBound, p.Docs, strings.Join(p.Auth.Headers, " or ")} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is missing", p.Name, want)
			}
		}
	}
	if strings.Contains(out, " of ,") || strings.Contains(out, "HMAC- ") {
		t.Errorf("a scheme has no words:\n%s", out)
	}
	if out, err = webhook("", "providers", "x"); err != nil || strings.Contains(out, "meta") {
		t.Errorf("providers x: %v\n%s", err, out)
	}
	if _, err = webhook("", "providers", "nobody"); err == nil {
		t.Error("providers nobody is no error")
	}
}

func TestCompletions(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"send me", "meta"},
		{"providers twi", "twilio"},
		{"send twilio --sample v", "voice"},
		{"send --config " + writeConfig(t, sites) + " --name s", "sms"},
	} {
		out, err := webhook("", append([]string{"__complete"}, strings.Fields(c.args)...)...)
		if err != nil || !strings.Contains(out, c.want+"\n") {
			t.Errorf("%s: %v\n%s", c.args, err, out)
		}
	}
}

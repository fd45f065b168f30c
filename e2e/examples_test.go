package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
)

// example is one folder of examples, run as its README says.
type example struct {
	folder string
	// paths are those of the gates, and events the types that the README's
	// commands must bring to the backend, sorted.
	paths  []string
	events []string
	// settings change the folder's .env.example.
	settings map[string]string
	// https: it is served over TLS. reportOnly: its last configuration is, so
	// that unsigned requests reach the backend, marked.
	https, reportOnly bool
}

var examples = []example{
	{
		folder: "quickstart",
		paths: []string{"/hooks/meta", "/hooks/twilio", "/hooks/telegram", "/hooks/africastalking",
			"/hooks/x", "/hooks/zavu", "/hooks/twabot", "/hooks/vobiz"},
		events: []string{"batch", "message.received", "message.received", "message.received", "message.received",
			"message.received", "message.received", "message.received", "message.received"},
	},
	{
		folder: "tavio",
		paths: []string{"/api/channels/whatsapp", "/api/channels/sms", "/api/channels/ussd", "/api/channels/twitter",
			"/api/v1/voice/inbound", "/api/v1/voice/status", "/api/v1/channels/telegram/webhook", "/api/v1/channels/meta/webhook"},
		events: []string{"call.completed", "call.started", "message.delivered", "message.received", "message.received",
			"message.received", "message.received", "message.received", "message.received", "ussd.session_start"},
	},
	{
		folder:   "tavio",
		settings: map[string]string{"SMS_PROVIDER": "africastalking"},
		paths:    []string{"/api/channels/sms"},
		events: []string{"call.completed", "call.started", "message.delivered", "message.received", "message.received",
			"message.received", "message.received", "message.received", "message.received", "ussd.session_start"},
	},
	{
		folder:   "general-bots",
		settings: map[string]string{"BACKEND_1": "127.0.0.1:9"}, // nobody listens there: the other takes over
		paths:    []string{"/twilio/voice", "/twilio/gather", "/webhooks/whatsapp"},
		events:   []string{"call.input", "call.started", "message.received", "message.received"},
	},
	{
		folder: "zavu",
		paths:  []string{"/webhooks/zavu"},
		events: []string{"message.delivered", "message.received", "template.approved"},
	},
	{
		folder: "twabot",
		paths:  []string{"/webhooks/twabot"},
		events: []string{"conversation.created", "message.received", "message.sent"},
	},
	{
		folder: "vobiz",
		paths:  []string{"/webhooks/vobiz"},
		events: []string{"message.delivered", "message.received"},
		https:  true,
	},
	{
		folder:     "rollout",
		paths:      []string{"/webhooks/whatsapp"},
		events:     []string{"", "", "message.delivered", "message.received", "message.received"},
		reportOnly: true, // its README ends with the way back
	},
}

func TestExamples(t *testing.T) {
	for _, e := range examples {
		t.Run(e.folder+e.settings["SMS_PROVIDER"], func(t *testing.T) {
			backend := hosts.StartBackend(t)
			validate(t, e.prepare(t, backend))
			site := e.prepare(t, backend) // only now, lest the port is taken meanwhile
			site.run(t, readmeCommands(t, site.folder))
			if got := eventWords(backend.Take()); !slices.Equal(got, e.events) {
				t.Errorf("the README's commands brought %q to the backend, want %q", got, e.events)
			}
			for _, path := range e.paths {
				site.walkAround(t, backend, path)
			}
			site.logTokens(t, backend)
			site.grepLogs(t)
		})
	}
}

// TestEveryExampleIsRun: a folder with a Caddyfile that no test runs would rot.
func TestEveryExampleIsRun(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(hosts.Root(t), "examples", "*", "Caddyfile*"))
	if err != nil || len(files) < len(examples) {
		t.Fatalf("only %d Caddyfiles (%v)", len(files), err)
	}
	for _, file := range files {
		folder := filepath.Base(filepath.Dir(file))
		if folder == "fleet" {
			continue // by TestFleetExample
		}
		if !slices.ContainsFunc(examples, func(e example) bool { return e.folder == folder }) {
			t.Errorf("%s is not run", folder)
		}
	}
}

// eventWords are the X-Hookward-Event of the requests, sorted.
func eventWords(seen []hosts.Seen) []string {
	words := []string{}
	for _, r := range seen {
		if r.Target != "/health" {
			words = append(words, r.Header.Get("X-Hookward-Event"))
		}
	}
	slices.Sort(words)
	return words
}

// logTokens sends every secret along where it might be logged: to the gates,
// with the backend there and gone, so that Caddy's errors are logged, too.
func (s *site) logTokens(t *testing.T, backend *hosts.Backend) {
	t.Helper()
	for range 2 {
		for _, path := range append(s.paths, "/") {
			for name, secret := range s.secrets {
				switch {
				case strings.HasSuffix(name, "VERIFY_TOKEN"):
					s.send(t, "GET", path+"?hub.mode=subscribe&hub.challenge=1&hub.verify_token="+secret, nil)
				case name == "AFRICASTALKING_KEY":
					s.send(t, "POST", path+"?apiKey="+secret, []string{"Content-Type: application/x-www-form-urlencoded"})
					s.send(t, "POST", path, []string{"X-API-Key: " + secret})
				case name == "TELEGRAM_SECRET_TOKEN":
					s.send(t, "POST", path, []string{"x-telegram-bot-api-secret-token: " + secret})
				}
			}
		}
		backend.Stop()
	}
}

// grepLogs looks for the secrets in all that Caddy has printed, and in what it
// keeps on disk: there is its configuration.
func (s *site) grepLogs(t *testing.T) {
	t.Helper()
	s.caddy.Stop() // the last lines may be on their way
	written := map[string]string{"the log": s.caddy.Output()}
	err := fs.WalkDir(os.DirFS(s.caddy.Home), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(s.caddy.Home, path))
		written[path] = string(text)
		return err
	})
	if err != nil || written["caddy/autosave.json"] == "" {
		t.Fatalf("Caddy's configuration was not found (%v)", err)
	}
	for place, text := range written {
		for name, secret := range s.secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s is in %s", name, place)
			}
		}
	}
}

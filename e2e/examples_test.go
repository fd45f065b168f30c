package e2e

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
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
		if !slices.ContainsFunc(examples, func(e example) bool { return e.folder == folder }) {
			t.Errorf("%s is not run", folder)
		}
	}
}

// site is a running example.
type site struct {
	example
	folder  string // a copy of the example's
	address string
	secrets map[string]string // by the variable's name
	caddy   *hosts.Caddy
}

// prepare copies the example and makes its .env.example say free ports, the
// backend, and secrets that can't be mistaken in a log.
func (e example) prepare(t *testing.T, backend *hosts.Backend) *site {
	t.Helper()
	s := &site{example: e, folder: t.TempDir(), secrets: map[string]string{}}
	if err := os.CopyFS(s.folder, os.DirFS(filepath.Join(hosts.Root(t), "examples", e.folder))); err != nil {
		t.Fatal(err)
	}
	port := fmt.Sprint(hosts.FreePort(t))
	s.address = "127.0.0.1:" + port
	settings := map[string]string{
		"PORT": port, "HTTPS_PORT": port, "PUBLIC_URL": "http://localhost:" + port,
		"BACKEND": backend.Address, "BACKEND_1": backend.Address, "BACKEND_2": backend.Address,
	}
	for name, value := range e.settings {
		settings[name] = value
	}
	file := filepath.Join(s.folder, ".env.example")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	setting := regexp.MustCompile(`(?m)^([A-Z0-9_]+)=(.*)$`)
	changed := setting.ReplaceAllStringFunc(string(text), func(line string) string {
		name, value, _ := strings.Cut(line, "=")
		if strings.Contains(value, "to-be-replaced") {
			s.secrets[name] = rand.Text() + rand.Text()
			return name + "=" + s.secrets[name]
		}
		if value, ok := settings[name]; ok {
			return name + "=" + value
		}
		return line
	})
	if len(s.secrets) == 0 {
		t.Fatalf("%s: no secret in .env.example", e.folder)
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// validate checks the Caddyfiles as "caddy" does.
func validate(t *testing.T, s *site) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.folder, "Caddyfile*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: no Caddyfile (%v)", s.example.folder, err)
	}
	for _, file := range files {
		for _, command := range []string{"caddy fmt --diff ", "caddy validate --config "} {
			s.shell(t, "set -e; set -a; . ./.env.example; set +a; "+command+filepath.Base(file))
		}
	}
}

// shell runs a script in the example's folder, with "caddy" in the PATH.
func (s *site) shell(t *testing.T, script string) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Dir = s.folder
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(hosts.CaddyBinary(t))+":"+os.Getenv("PATH"))
	if s.caddy != nil {
		cmd.Env = append(os.Environ(), s.caddy.Env...)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v of\n%s\nprinted\n%s", err, script, out)
	}
}

var shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// readmeCommands are the lines of all blocks of the README that are marked sh.
func readmeCommands(t *testing.T, folder string) (lines []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range shellBlock.FindAllStringSubmatch(string(text), -1) {
		lines = append(lines, strings.Split(strings.TrimSpace(block[1]), "\n")...)
	}
	if len(lines) < 5 {
		t.Fatalf("the README has only the commands %q", lines)
	}
	return lines
}

// run starts Caddy by the README's own line, and runs the other lines. A line
// that ends in "# refused" must fail.
func (s *site) run(t *testing.T, commands []string) {
	t.Helper()
	i := slices.IndexFunc(commands, func(line string) bool { return strings.HasPrefix(line, "caddy run") })
	if i < 0 {
		t.Fatal("the README does not say how to run Caddy")
	}
	before := strings.Join(commands[:i], "\n")
	s.caddy = hosts.RunCaddyAs(t, s.folder, "set -e\n"+before+"\nexec "+commands[i])
	s.awaitCertificate(t)
	script := []string{"set -ex", before}
	for _, line := range commands[i+1:] {
		if command, refused := strings.CutSuffix(line, "# refused"); refused {
			line = "if " + command + "; then exit 99; fi"
		}
		script = append(script, line)
	}
	s.shell(t, strings.Join(script, "\n"))
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

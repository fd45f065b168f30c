package e2e

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
)

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
// that is marked "# fails" must fail.
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
		if command, _, fails := strings.Cut(line, "# fails"); fails {
			line = "if " + command + "; then exit 99; fi"
		}
		script = append(script, line)
	}
	s.shell(t, strings.Join(script, "\n"))
}

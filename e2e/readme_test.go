package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/hookward/hookward/core/unified"
	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/load"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(hosts.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// snippets are the fenced blocks of a language.
func snippets(t *testing.T, text, language string) (blocks []string) {
	t.Helper()
	for _, match := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, match[1])
	}
	if len(blocks) == 0 {
		t.Fatalf("the README has no %s snippet", language)
	}
	return blocks
}

// TestReadmeCaddyfile serves the README's Caddyfile, at a port of this machine
// in place of example.com, and sends what the README's commands send.
func TestReadmeCaddyfile(t *testing.T) {
	text := readme(t)
	backend := hosts.StartBackend(t)
	address := fmt.Sprintf("127.0.0.1:%d", hosts.FreePort(t))
	config := strings.NewReplacer(
		"example.com {", "http://"+address+" {",
		"backend:8080", backend.Address,
	).Replace(snippets(t, text, "caddyfile")[0])
	secrets := []string{"TWILIO_AUTH_TOKEN=one", "META_APP_SECRET=two", "META_VERIFY_TOKEN=three"}
	caddy := hosts.StartCaddy(t, secrets...)
	if err := caddy.Load(t, "text/caddyfile", "{\n\tadmin "+caddy.Admin+"\n}\n"+config); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Caddyfile"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^    bin/caddy (webhook send [^#\n]*)`).FindAllStringSubmatch(text, -1)
	if len(commands) < 5 {
		t.Fatalf("only %q", commands)
	}
	for _, command := range commands {
		cmd := exec.Command(hosts.CaddyBinary(t), strings.Fields(command[1])...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), secrets...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v:\n%s", command[1], err, out)
		}
	}
	var got []string
	for _, seen := range backend.Take() {
		got = append(got, seen.Header.Get("X-Hookward-Provider")+" "+seen.Header.Get("X-Hookward-Event"))
	}
	if want := []string{"meta message.received", "meta message.received", "twilio message.received"}; !slices.Equal(got, want) {
		t.Errorf("the backend saw %q, want %q", got, want)
	}
}

func TestReadmeShowsTheShape(t *testing.T) {
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(unified.Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("unified.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("unified.json")
	if err != nil {
		t.Fatal(err)
	}
	shown, err := jsonschema.UnmarshalJSON(strings.NewReader(snippets(t, readme(t), "json")[0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(shown); err != nil {
		t.Error(err)
	}
}

// TestReadmeEnvoyFilter serves the README's filter in an Envoy and sends it a
// genuine delivery and a forged one.
func TestReadmeEnvoyFilter(t *testing.T) {
	var shown struct {
		Filters []object `yaml:"http_filters"`
	}
	text := strings.ReplaceAll(snippets(t, readme(t), "yaml")[0], "bin/hookward.wasm", hosts.BuildWasm(t, "./envoy-wasm"))
	if err := yaml.Unmarshal([]byte(text), &shown); err != nil {
		t.Fatal(err)
	}
	if len(shown.Filters) != 1 {
		t.Fatalf("%d filters", len(shown.Filters))
	}
	t.Setenv("TWILIO_AUTH_TOKEN", "one")
	t.Setenv("META_APP_SECRET", "two")
	t.Setenv("META_VERIFY_TOKEN", "three")
	backend := hosts.StartBackend(t)
	bootstrap := hosts.Bootstrap([]object{hosts.Listener("readme", "backend", shown.Filters[0])}, hosts.Cluster("backend", backend.Address))
	address := hosts.StartEnvoy(t, hosts.NewestEnvoy(t), bootstrap).Addresses(t)["readme"]
	for secret, want := range map[string]int{"two": 0, "forged": 1} {
		result, err := load.Run(address, 1, load.WhatsApp("/hooks/meta", secret, 1, 1))
		if err != nil || result.Failed != want {
			t.Errorf("signed with %q: %d failed (%v), want %d", secret, result.Failed, err, want)
		}
	}
	if seen := backend.Take(); len(seen) != 1 || seen[0].Header.Get("X-Hookward-Assurance") != "signature" {
		t.Errorf("the backend saw %v", seen)
	}
}

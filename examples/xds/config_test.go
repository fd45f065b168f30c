package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
)

const twoEndpoints = `
listen: 127.0.0.1:8080
endpoints:
  - {path: /a, backend: "10.0.0.1:80", provider: meta, secrets: ["{env.NEW}", "{env.OLD}"]}
  - {path: /b, backend: "backend:80", provider: telegram, secrets: ["{file.FOLDER/token}"], max_body: 2MiB}
`

func parse(t *testing.T, text string) (*Config, error) {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "token"), []byte("from \"a\" file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return ParseConfig([]byte(strings.ReplaceAll(text, "FOLDER", folder)))
}

func TestParseConfig(t *testing.T) {
	c, err := parse(t, twoEndpoints)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"routes":[{"path":"/a","provider":"meta","secrets":["{env.NEW}","{env.OLD}"]},{"max_body":"2MiB","path":"/b","provider":"telegram","secrets":["from \"a\" file"]}],"unmatched":"reject"}`
	if c.gates != want {
		t.Errorf("gates are %s, want %s", c.gates, want)
	}
	if got := strings.Join(c.variables, " "); got != "NEW OLD" {
		t.Errorf("Envoy's variables are %q", got)
	}
	if c.maxBody != 4<<20 {
		t.Errorf("the largest body has %d bytes, want Meta's 4 MiB", c.maxBody)
	}
}

func TestParseConfigTellsMistakes(t *testing.T) {
	for _, test := range []struct{ old, new, want string }{
		{"listen: 127.0.0.1:8080", "listen: 8080", `listen: "8080": write host:port`},
		{`"10.0.0.1:80"`, `"10.0.0.1"`, `endpoints[0].backend: "10.0.0.1": write host:port`},
		{`backend: "backend:80"`, `backend: "backend:65536"`, `endpoints[1].backend: "backend:65536"`},
		{"provider: telegram", "provider: telegrm", `endpoints[1].provider: unknown provider "telegrm"`},
		{"path: /b", "path: /a", `endpoints[1].path: "/a" stands at another route already`},
		{"path: /b", "pth: /b", `endpoints[1].pth: unknown key`},
		{"endpoints:", "endpoint: 1\nendpoints:", `endpoint: unknown key`},
		{"endpoints:", "unmatched: pass\nendpoints:", `unmatched: leave it out`},
		{"FOLDER/token", "FOLDER/none", `no such file`},
		{`provider: telegram, secrets: ["{file.FOLDER/token}"]`, `provider: meta, secrets: ["{env.NEW}", "{env.OLD}"]`, `endpoints[1].backend: the name "meta" belongs to the backend 10.0.0.1:80`},
		{"  - ", "  # ", `endpoints: is empty`},
	} {
		t.Run(test.new, func(t *testing.T) {
			text := strings.ReplaceAll(twoEndpoints, test.old, test.new)
			if text == twoEndpoints {
				t.Fatalf("no %q to replace", test.old)
			}
			if _, err := parse(t, text); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// TestSnapshotVersions: only what has changed gets a new version, and is sent.
func TestSnapshotVersions(t *testing.T) {
	version := func(text string, typ resource.Type) string {
		c, err := parse(t, text)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Snapshot(c, c, "/hookward.wasm")
		if err != nil {
			t.Fatal(err)
		}
		return s.GetVersion(typ)
	}
	rotated := strings.Replace(twoEndpoints, "{env.OLD}", "{env.OTHER}", 1)
	for _, typ := range servedTypes {
		if same := version(twoEndpoints, typ) == version(rotated, typ); same == (typ == resource.ExtensionConfigType) {
			t.Errorf("another secret: %s stays the same: %t", typ, same)
		}
	}
	if version(twoEndpoints, resource.ClusterType) == version(strings.Replace(twoEndpoints, "backend:80", "other:80", 1), resource.ClusterType) {
		t.Error("another backend, and the clusters stay the same")
	}
}

// TestSnapshotRefusesWhatEnvoyWould: the validators see what is packed.
func TestSnapshotRefusesWhatEnvoyWould(t *testing.T) {
	c, err := parse(t, twoEndpoints)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Snapshot(c, c, ""); err == nil || !strings.Contains(err.Error(), "Filename") {
		t.Errorf("a module without a path: %v", err)
	}
}

// TestExample: the file that the README starts with is good.
func TestExample(t *testing.T) {
	data, err := os.ReadFile("hookward.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.Mkdir("secrets", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"meta", "meta-verify", "telegram"} {
		if err := os.WriteFile("secrets/"+name, []byte("invented\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := ParseConfig(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Snapshot(c, c, "/hookward.wasm"); err != nil {
		t.Error(err)
	}
}

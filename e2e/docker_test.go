package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
)

// TestDockerfileHasAllThatCaddyNeeds holds the Dockerfile, which can't be run
// here, against what the program is built from.
func TestDockerfileHasAllThatCaddyNeeds(t *testing.T) {
	root := hosts.Root(t)
	text, err := os.ReadFile(filepath.Join(root, "examples/docker/Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	var copied []string
	for _, m := range regexp.MustCompile(`(?m)^COPY (\w+) \w+$`).FindAllStringSubmatch(string(text), -1) {
		copied = append(copied, m[1])
	}
	cmd := exec.Command("go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}", "./caddy/cmd/caddy")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 5 {
		t.Fatalf("only the packages %q", packages)
	}
	for _, p := range packages {
		folder, _, _ := strings.Cut(strings.TrimPrefix(p, "github.com/hookward/hookward/"), "/")
		if !slices.Contains(copied, folder) {
			t.Errorf("%s is not copied: the Dockerfile copies %q", p, copied)
		}
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(mod))
	if len(version) != 2 || !strings.Contains(string(text), "FROM golang:"+version[1]+" AS") {
		t.Errorf("the Dockerfile's Go is not go.mod's %q", version)
	}
}

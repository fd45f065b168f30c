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

// TestDockerfilesHaveAllThatIsBuilt holds the Dockerfiles, which can't be run
// here, against what the programs are built from.
func TestDockerfilesHaveAllThatIsBuilt(t *testing.T) {
	for _, image := range []struct{ dockerfile, pkg, goos, goarch string }{
		{"examples/docker/Dockerfile", "./caddy/cmd/caddy", "linux", "amd64"},
		{"examples/docker/envoy/Dockerfile", "./envoy-wasm", "wasip1", "wasm"},
	} {
		t.Run(image.dockerfile, func(t *testing.T) {
			text := fileText(t, image.dockerfile)
			var copied []string
			for _, m := range regexp.MustCompile(`(?m)^COPY ([\w-]+) [\w-]+$`).FindAllStringSubmatch(text, -1) {
				copied = append(copied, m[1])
			}
			cmd := exec.Command("go", "list", "-deps", "-f", "{{if .Module}}{{if .Module.Main}}{{.ImportPath}}{{end}}{{end}}", image.pkg)
			cmd.Dir, cmd.Env = hosts.Root(t), append(os.Environ(), "GOOS="+image.goos, "GOARCH="+image.goarch)
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
				if !slices.Contains(copied, folder) || !strings.Contains(fileText(t, image.dockerfile+".dockerignore"), "\n!"+folder+"\n") {
					t.Errorf("%s is not copied, or ignored: the Dockerfile copies %q", p, copied)
				}
			}
			version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(fileText(t, "go.mod"))
			if len(version) != 2 || !regexp.MustCompile(`golang:`+regexp.QuoteMeta(version[1])+`\b`).MatchString(text) {
				t.Errorf("the Dockerfile's Go is not go.mod's %q", version)
			}
		})
	}
}

// TestImagesBuildWhatMakeBuilds: make sha256 tells the digest of the module in
// the images, so that both must be built alike.
func TestImagesBuildWhatMakeBuilds(t *testing.T) {
	command := regexp.MustCompile(`GOOS=wasip1 GOARCH=wasm go build (.*) -o \S+ ./envoy-wasm(?: && \\)?\n\s+@?go run ./envoy-wasm/postlink `)
	var flags []string
	for _, path := range []string{"Makefile", "examples/docker/envoy/Dockerfile"} {
		m := command.FindStringSubmatch(fileText(t, path))
		if len(m) != 2 {
			t.Fatalf("%s does not build the module", path)
		}
		flags = append(flags, strings.ReplaceAll(m[1], `"`, `'`))
	}
	if flags[0] != flags[1] || !strings.Contains(flags[0], "-trimpath") {
		t.Errorf("the module is built with %q", flags)
	}
}

func fileText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(hosts.Root(t), path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

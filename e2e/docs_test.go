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

// documents are the paths of all Markdown files, from the root.
func documents(t *testing.T) (paths []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "examples/*/*.md", "examples/*/*/*.md"} {
		found, err := filepath.Glob(filepath.Join(hosts.Root(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			path, err := filepath.Rel(hosts.Root(t), path)
			if err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
	}
	if len(paths) < 15 {
		t.Fatalf("only %q", paths)
	}
	return paths
}

// TestDocumentsLinkToWhatIsThere: files, and within a file the anchors.
func TestDocumentsLinkToWhatIsThere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, path := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(fileText(t, path), -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if target == "" || strings.Contains(target, "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(hosts.Root(t), filepath.Dir(path), target)); err != nil {
				t.Errorf("%s links to %s, which is not there", path, m[1])
			}
		}
	}
}

// TestDocumentsNameRealTargets: what the documents say to make, make knows.
func TestDocumentsNameRealTargets(t *testing.T) {
	var targets []string
	for _, path := range documents(t) {
		for _, m := range regexp.MustCompile("(?m)(?:^ *|`|\"|\\()make (?:-s )?([a-z0-9-]+)").FindAllStringSubmatch(fileText(t, path), -1) {
			targets = append(targets, m[1])
		}
	}
	slices.Sort(targets)
	targets = slices.Compact(targets)
	if len(targets) < 8 {
		t.Fatalf("only %q", targets)
	}
	cmd := exec.Command("make", append([]string{"--dry-run"}, targets...)...)
	cmd.Dir = hosts.Root(t)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("make %q: %v\n%s", targets, err, out)
	}
}

// TestDocumentsNameRealPaths: what their commands run or read from the root is
// there.
func TestDocumentsNameRealPaths(t *testing.T) {
	command := regexp.MustCompile(`(?:go (?:run|test|build) |python3 |docker build -f |npx tsx |cd |envoy -c |--config )(\.?/?(?:core|caddy|envoy-wasm|examples|e2e)[\w./-]*)`)
	found := 0
	for _, path := range documents(t) {
		for _, m := range command.FindAllStringSubmatch(fileText(t, path), -1) {
			found++
			if _, err := os.Stat(filepath.Join(hosts.Root(t), strings.TrimSuffix(m[1], "/..."))); err != nil {
				t.Errorf("%s: %q: %v", path, m[0], err)
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d paths", found)
	}
}

// TestEnvoyExampleNamesItsVariables: the README sets what the configuration
// wants.
func TestEnvoyExampleNamesItsVariables(t *testing.T) {
	names := func(file, pattern string) (all []string) {
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(fileText(t, "examples/envoy/"+file), -1) {
			all = append(all, m[1])
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	said, wanted := names("README.md", `([A-Z_]+)=`), names("envoy.yaml", `\{env\.([A-Z_]+)\}`)
	if !slices.Equal(said, wanted) || len(said) < 8 {
		t.Errorf("the README sets %q, the configuration wants %q", said, wanted)
	}
}

// TestDocumentsNameRealVersions: of the Envoys that CI tests, and of Go.
func TestDocumentsNameRealVersions(t *testing.T) {
	envoys := regexp.MustCompile(`\$\(CI\),([\d. ]+),`).FindStringSubmatch(fileText(t, "Makefile"))
	said := regexp.MustCompile(`Tested on Envoy ([\d.]+), ([\d.]+) and ([\d.]+\d)\.`).FindStringSubmatch(readme(t))
	if envoys == nil || said == nil || envoys[1] != strings.Join(said[1:], " ") {
		t.Errorf("CI tests Envoy %q, the README says %q", envoys, said)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(fileText(t, "go.mod"))
	if version == nil || !strings.Contains(fileText(t, "CONTRIBUTING.md"), "Go "+version[1]+" is needed") {
		t.Errorf("go.mod says %q, CONTRIBUTING another version of Go", version)
	}
}

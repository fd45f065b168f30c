package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
)

// TestFleetExample runs examples/fleet with the command of its README, which
// shows what comes out.
func TestFleetExample(t *testing.T) {
	hosts.Program(t, "redis-server", "redis-server")
	hosts.Program(t, "webdis", "webdis")
	cmd := exec.Command("go", "run", "./examples/fleet")
	cmd.Dir = hosts.Root(t)
	cmd.Env = append(os.Environ(), "ONCE=1", "ENVOY="+hosts.NewestEnvoy(t))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	readme, err := os.ReadFile(filepath.Join(cmd.Dir, "examples", "fleet", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(string(readme), line) {
			t.Errorf("the README does not show this line: %q", line)
		}
	}
}

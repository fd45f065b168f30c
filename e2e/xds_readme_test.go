package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
)

// TestXDSReadme follows the README of examples/xds: its commands, its file, its
// bootstrap, at other ports.
func TestXDSReadme(t *testing.T) {
	plane, module := hosts.Build(t, "./examples/xds"), hosts.BuildWasm(t, "./envoy-wasm")
	folder, port := t.TempDir(), hosts.FreePort(t)
	if err := os.MkdirAll(filepath.Join(folder, "examples", "xds"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := strings.NewReplacer("0.0.0.0:8080", "127.0.0.1:0", "127.0.0.1:9000", "127.0.0.1:9").
		Replace(fileText(t, "examples/xds/hookward.yaml"))
	if err := os.WriteFile(filepath.Join(folder, "examples", "xds", "hookward.yaml"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	shell := func(line string) string {
		t.Helper()
		cmd := exec.Command("/bin/sh", "-ec", line)
		cmd.Dir = folder
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return string(out)
	}
	lines := indented(t, fileText(t, "examples/xds/README.md"), 6)
	shell(lines[1] + "\n" + lines[2])
	command := strings.NewReplacer("go run ./examples/xds", plane, `"$PWD/bin/hookward.wasm"`, module).Replace(lines[3])
	if command == lines[3] {
		t.Fatalf("this does not start the control plane: %s", command)
	}
	hosts.StartProgram(t, port, "/bin/sh", "-c", fmt.Sprintf("cd %s && exec %s --listen 127.0.0.1:%d", folder, command, port))
	envoy := hosts.StartEnvoy(t, hosts.NewestEnvoy(t), exampleYAML(t, "xds/envoy.yaml", "18000", fmt.Sprint(port), "9901", "0"), "--concurrency", "1")
	request := strings.Replace(lines[5], "127.0.0.1:8080", envoy.Addresses(t)["hooks"], 1)
	if answer := shell(request); !strings.HasPrefix(answer, "HTTP/1.1 503 ") || strings.Contains(answer, "problem+json") {
		t.Errorf("%s\nprinted\n%s", request, answer)
	}
	forged := strings.Replace(request, "secrets/telegram", "secrets/meta", 1)
	if answer := shell(forged); !strings.HasPrefix(answer, "HTTP/1.1 401 ") {
		t.Errorf("%s\nprinted\n%s", forged, answer)
	}
}

// indented are the lines of the first indented block, of which there must be n.
func indented(t *testing.T, text string, n int) []string {
	t.Helper()
	block := regexp.MustCompile(`(?m)(?:^    \S.*\n)+`).FindString(text)
	lines := strings.Split(strings.TrimSpace(block), "\n")
	if len(lines) != n {
		t.Fatalf("there are %d lines, want %d:\n%s", len(lines), n, block)
	}
	return lines
}

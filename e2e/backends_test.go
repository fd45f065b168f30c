package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/evanw/esbuild/pkg/api"

	"github.com/hookward/hookward/e2e/hosts"
)

// TestExampleBackends runs the backends of the examples: each takes an event
// once, ignores what it does not know, and refuses what did not pass a gate.
func TestExampleBackends(t *testing.T) {
	t.Setenv("PYTHONDONTWRITEBYTECODE", "1")
	dir := filepath.Join(hosts.Root(t), "examples", "backends")
	for name, command := range map[string][]string{
		"go":         {hosts.Build(t, "./examples/backends/go")},
		"python":     {"python3", filepath.Join(dir, "python", "backend.py")},
		"typescript": {"node", transpiled(t, filepath.Join(dir, "typescript", "backend.ts"))},
	} {
		t.Run(name, func(t *testing.T) {
			port := hosts.FreePort(t)
			backend := hosts.StartProgram(t, port, command[0], command[1:]...)
			url := fmt.Sprintf("http://127.0.0.1:%d/hooks/meta", port)
			const received = `{"version":"1","provider":"meta","endpoint":"meta","assurance":"signature","deliveryId":"0","receivedAt":"2026-01-15T10:30:00Z","events":[{"id":"wamid.a","type":"message.received","nativeType":"messages.text","provider":"meta","endpoint":"meta","channel":"whatsapp","timestamp":"2024-01-15T10:30:00Z","timestampSource":"provider","senderId":"+254712345678","conversationId":"254712345678","message":"hello there","messageId":"wamid.a","messageType":"text","metadata":{},"data":{}},{"id":"x","type":"meta.calls","nativeType":"calls","provider":"meta","endpoint":"meta","channel":"whatsapp","timestamp":"2024-01-15T10:30:00Z","timestampSource":"provider","metadata":{},"data":{}}]}`
			for _, try := range []struct {
				assurance string
				want      int
			}{{"signature", 2}, {"signature", 2}, {"", 4}, {"none", 4}} {
				if got := post(t, url, try.assurance, received); got/100 != try.want {
					t.Errorf("assurance %q: status %d, want %dxx", try.assurance, got, try.want)
				}
			}
			backend.WaitForOutput(t, "ignored meta.calls")
			if n := bytes.Count([]byte(backend.Output()), []byte("hello there")); n != 1 {
				t.Errorf("the message was handled %d times, want once", n)
			}
		})
	}
}

func post(t *testing.T, url, assurance, body string) int {
	t.Helper()
	req, err := http.NewRequest("POST", url, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if assurance != "" {
		req.Header.Set("X-Hookward-Assurance", assurance)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// transpiled is the TypeScript file as JavaScript that node runs.
func transpiled(t *testing.T, path string) string {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	result := api.Transform(string(source), api.TransformOptions{Loader: api.LoaderTS, Format: api.FormatESModule})
	if len(result.Errors) > 0 {
		t.Fatalf("%s: %s", path, result.Errors[0].Text)
	}
	out := filepath.Join(t.TempDir(), "backend.mjs")
	if err := os.WriteFile(out, result.Code, 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

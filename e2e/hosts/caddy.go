package hosts

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Caddy is a running Caddy with our module.
type Caddy struct {
	*Process
	// Admin is the address of the admin API.
	Admin string
	// Env is what RunCaddyAs has set, for other commands beside it, and Home
	// the folder where Caddy keeps its data.
	Env  []string
	Home string
}

// CaddyBinary is the program, built from this repository.
func CaddyBinary(t testing.TB) string { return Build(t, "./caddy/cmd/caddy") }

// StartCaddy runs Caddy with nothing but its admin API; Load gives it a
// configuration.
func StartCaddy(t testing.TB, env ...string) *Caddy {
	t.Helper()
	dir := t.TempDir()
	c := &Caddy{Admin: fmt.Sprintf("127.0.0.1:%d", FreePort(t))}
	config := filepath.Join(dir, "empty.json")
	if err := os.WriteFile(config, fmt.Appendf(nil, `{"admin":{"listen":%q,"config":{"persist":false}}}`, c.Admin), 0o600); err != nil {
		t.Fatal(err)
	}
	env = append([]string{"XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}, env...)
	c.Process = start(t, env, dir, CaddyBinary(t), "run", "--config", config)
	c.waitFor(t, "admin API", func() bool { return listens(c.Admin) })
	return c
}

// RunCaddyAs runs a shell line that starts Caddy, in a folder, as a person
// would who has "caddy" in the PATH; the configuration is the line's. It must
// not name the admin API's address.
func RunCaddyAs(t testing.TB, dir, line string, env ...string) *Caddy {
	t.Helper()
	c := &Caddy{Admin: fmt.Sprintf("127.0.0.1:%d", FreePort(t)), Home: t.TempDir()}
	c.Env = append([]string{
		"PATH=" + filepath.Dir(CaddyBinary(t)) + ":" + os.Getenv("PATH"),
		"CADDY_ADMIN=" + c.Admin, "XDG_DATA_HOME=" + c.Home, "XDG_CONFIG_HOME=" + c.Home,
	}, env...)
	c.Process = start(t, c.Env, dir, "/bin/sh", "-c", line)
	c.waitFor(t, "configuration", func() bool { return strings.Contains(c.Output(), "serving initial configuration") })
	return c
}

// Load replaces the configuration; contentType is application/json or
// text/caddyfile. It must name Admin as the admin API's address. If Caddy
// refuses, the error says what it answered.
func (c *Caddy) Load(t testing.TB, contentType, config string) error {
	t.Helper()
	var resp *http.Response
	c.waitFor(t, "answer of the admin API", func() (answered bool) {
		req, err := http.NewRequest("POST", "http://"+c.Admin+"/load", bytes.NewBufferString(config))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", contentType)
		req.Close = true
		// Each load ends the admin server of the one before, and with it
		// connections that it has just taken.
		resp, err = http.DefaultClient.Do(req)
		return err == nil
	})
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("caddy refused: %s", text)
	}
	return nil
}

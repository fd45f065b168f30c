package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hookward/hookward/e2e/hosts"
)

// TestRedisRotation: a Redis gets another password and a certificate of another
// authority. The files that the configuration names hold them, and a reload is
// enough.
func TestRedisRotation(t *testing.T) {
	t.Parallel()
	dir, old, fresh := t.TempDir(), hosts.NewCA(t), hosts.NewCA(t)
	cert, key := old.Issue(t)
	redis := hosts.StartRedisTLS(t, old, "--tls-cert-file", cert, "--tls-key-file", key,
		"--appendonly", "yes", "--aclfile", write(t, dir, "users", "user default on >old-password ~* +@all\n"))
	password, ca := write(t, dir, "password", "old-password\n"), write(t, dir, "ca.pem", string(old.PEM))
	global := fmt.Sprintf("webhook {\nstore redis {\naddress %s\npassword {file.%s}\ntimeout 2s\ntls {\nca %s\n}\n}\n}", redis.Address, password, ca)
	backend := &recorder{}
	s := newSite(t, backend)
	s.load(t, global, metaGate)
	before, after := meta(), meta()
	s.sendUntilTaken(t, before).want(t, 200)

	newCert, newKey := fresh.Issue(t)
	for from, to := range map[string]string{newCert: cert, newKey: key} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir, "users", "user default on >new-password ~* +@all\n")
	redis.Restart(t)
	s.send(t, after).wantCode(t, 503, "replay_store_unavailable")
	write(t, dir, "password", "new-password\n")
	write(t, dir, "ca.pem", string(fresh.PEM))
	s.load(t, global, "header X-Loaded twice\n"+metaGate)
	s.sendUntilTaken(t, before).wantDuplicate(t)
	s.sendUntilTaken(t, after).want(t, 200)
	if n := len(backend.take()); n != 2 {
		t.Errorf("the backend saw %d requests, want 2", n)
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

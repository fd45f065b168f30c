package hosts

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Webdis is a running webdis: Redis over HTTP.
type Webdis struct {
	*Process
	// Address is host and port.
	Address string
}

// StartWebdis starts a webdis in front of a Redis.
func StartWebdis(t testing.TB, redis string) *Webdis {
	t.Helper()
	host, text, _ := net.SplitHostPort(redis)
	redisPort, _ := strconv.Atoi(text)
	port, dir := FreePort(t), t.TempDir()
	config, err := json.Marshal(map[string]any{
		"redis_host": host, "redis_port": redisPort, "http_host": "127.0.0.1", "http_port": port,
		"threads": 2, "pool_size": 10, "daemonize": false, "database": 0, "verbosity": 1, "logfile": "/dev/stderr",
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "webdis.json")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		t.Fatal(err)
	}
	w := &Webdis{Address: fmt.Sprintf("127.0.0.1:%d", port)}
	w.Process = start(t, nil, dir, Program(t, "webdis", "webdis"), path)
	w.waitFor(t, "port", func() bool { return listens(w.Address) })
	return w
}

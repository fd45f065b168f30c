package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// fleet are the running programs, and what has reached the backend.
type fleet struct {
	gates  []gate // the Caddys, then the Envoys
	secret string
	dir    string // with the logs

	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
	backend *httptest.Server

	redisPort string
	redis     *exec.Cmd

	mu   sync.Mutex
	seen map[string]int // by the delivery's id
}

// gate is one of those that share their claims.
type gate struct{ name, url string }

// start runs everything; META_APP_SECRET may name the secret of your own app.
func start(ctx context.Context) (*fleet, error) {
	dir, err := os.MkdirTemp("", "hookward-fleet-")
	if err != nil {
		return nil, err
	}
	f := &fleet{secret: cmp.Or(os.Getenv("META_APP_SECRET"), rand.Text()), dir: dir, redisPort: freePort(), seen: map[string]int{}}
	f.ctx, f.cancel = context.WithCancel(ctx)
	f.backend = httptest.NewServer(f)
	if err := f.startAll(); err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}

func (f *fleet) startAll() error {
	caddy := filepath.Join(f.dir, "caddy")
	build := exec.CommandContext(f.ctx, "go", "build", "-o", caddy, "./caddy/cmd/caddy")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building Caddy (from the repository's root?): %w\n%s", err, out)
	}
	if err := f.startRedis(); err != nil {
		return err
	}
	for i := range 2 {
		port, home := freePort(), filepath.Join(f.dir, fmt.Sprintf("caddy-%d", i+1))
		f.gates = append(f.gates, gate{fmt.Sprintf("Caddy %d", i+1), "http://localhost:" + port})
		env := []string{
			"PORT=" + port, "BACKEND=" + f.backend.Listener.Addr().String(), "REDIS=127.0.0.1:" + f.redisPort, "META_APP_SECRET=" + f.secret,
			"CADDY_ADMIN=127.0.0.1:" + freePort(), "XDG_CONFIG_HOME=" + home, "XDG_DATA_HOME=" + home,
		}
		if _, err := f.run("127.0.0.1:"+port, home+".log", env, caddy, "run", "--config", "examples/fleet/Caddyfile"); err != nil {
			return err
		}
	}
	return f.startEnvoys()
}

// startRedis starts it with what it had when it was stopped: it writes each
// claim to its file before it answers.
func (f *fleet) startRedis() (err error) {
	f.redis, err = f.run("127.0.0.1:"+f.redisPort, filepath.Join(f.dir, "redis.log"), nil,
		"redis-server", "--port", f.redisPort, "--bind", "127.0.0.1", "--dir", f.dir,
		"--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction")
	return err
}

func (f *fleet) stopRedis() {
	_ = f.redis.Process.Signal(syscall.SIGTERM)
	for listens("127.0.0.1:" + f.redisPort) {
		time.Sleep(10 * time.Millisecond)
	}
}

// run starts a program and waits until it listens.
func (f *fleet) run(address, logFile string, env []string, name string, args ...string) (*exec.Cmd, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	c := exec.CommandContext(f.ctx, name, args...)
	c.Env = append(os.Environ(), env...)
	c.Stdout, c.Stderr = log, log
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	if err := c.Start(); err != nil {
		return nil, err
	}
	f.running.Go(func() { _ = c.Wait() })
	for end := time.Now().Add(20 * time.Second); !listens(address); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			text, _ := os.ReadFile(logFile)
			return nil, fmt.Errorf("%s does not listen on %s:\n%s", filepath.Base(name), address, text)
		}
	}
	return c, nil
}

func (f *fleet) stop() {
	f.cancel()
	f.running.Wait()
	f.backend.CloseClientConnections()
	f.backend.Close()
	os.RemoveAll(f.dir)
}

// ServeHTTP is the backend: it takes everything.
func (f *fleet) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[r.Header.Get("X-Hookward-Delivery")]++
}

func listens(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err == nil {
		c.Close()
	}
	return err == nil
}

func freePort() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "0"
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

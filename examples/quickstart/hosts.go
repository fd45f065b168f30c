package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// host is the proxy that the gates stand in.
type host struct {
	name string
	// command makes the program that listens on 127.0.0.1:port and forwards to
	// the backend; dir is a folder for its files.
	command func(ctx context.Context, dir, port, backend string, env []string) (*exec.Cmd, error)
}

var hosts = map[string]host{
	"caddy": {"Caddy", caddy},
	"envoy": {"Envoy", envoy},
}

func caddy(ctx context.Context, dir, port, backend string, env []string) (*exec.Cmd, error) {
	env = append(env, "PORT="+port, "BACKEND="+backend,
		"CADDY_ADMIN=127.0.0.1:"+freePort("2019"), "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir)
	return command(ctx, env, beside("caddy"), "run", "--config", "examples/quickstart/Caddyfile"), nil
}

// envoy runs the Envoy that the variable ENVOY names, with the bootstrap of
// examples/envoy at ports of our own.
func envoy(ctx context.Context, dir, port, backend string, env []string) (*exec.Cmd, error) {
	bootstrap, err := os.ReadFile("examples/envoy/envoy.yaml")
	if err != nil {
		return nil, err
	}
	address := func(of string) string {
		host, port, _ := strings.Cut(of, ":")
		return fmt.Sprintf("{address: %s, port_value: %s}", host, port)
	}
	config := strings.NewReplacer(
		address("127.0.0.1:9901"), address("127.0.0.1:"+freePort("9901")),
		address("0.0.0.0:8080"), address("127.0.0.1:"+port),
		address("127.0.0.1:9000"), address(backend),
		"bin/hookward.wasm", beside("hookward.wasm"),
	).Replace(string(bootstrap))
	path := filepath.Join(dir, "envoy.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return nil, err
	}
	return command(ctx, env, cmp.Or(os.Getenv("ENVOY"), "envoy"), "-c", path, "--concurrency", "2"), nil
}

// beside is a file that "make" has put beside this program.
func beside(name string) string {
	self, _ := os.Executable()
	return filepath.Join(filepath.Dir(self), name)
}

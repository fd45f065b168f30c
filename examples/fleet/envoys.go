package main

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// startEnvoys starts a webdis and two Envoys, if there are such programs; ENVOY
// names an Envoy that is not in the PATH.
func (f *fleet) startEnvoys() error {
	envoy, err := exec.LookPath(cmp.Or(os.Getenv("ENVOY"), "envoy"))
	if err != nil {
		fmt.Println("(no Envoys: there is no envoy in the PATH, and none named by ENVOY)")
		return nil
	}
	module := filepath.Join(f.dir, "hookward.wasm")
	if out, err := exec.CommandContext(f.ctx, "make", "wasm", "WASM="+module).CombinedOutput(); err != nil {
		return fmt.Errorf("building the filter: %w\n%s", err, out)
	}
	webdis := freePort()
	if err := f.startWebdis(webdis); err != nil {
		return err
	}
	for i := range 2 {
		if err := f.startEnvoy(i, envoy, module, webdis); err != nil {
			return err
		}
	}
	return nil
}

func (f *fleet) startWebdis(port string) error {
	config := filepath.Join(f.dir, "webdis.json")
	text := fmt.Sprintf(`{"redis_host": "127.0.0.1", "redis_port": %s, "http_host": "127.0.0.1", "http_port": %s, "threads": 2,
"daemonize": false, "verbosity": 1, "logfile": "/dev/stderr"}`, f.redisPort, port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	_, err := f.run("127.0.0.1:"+port, filepath.Join(f.dir, "webdis.log"), nil, "webdis", config)
	return err
}

// startEnvoy runs envoy.yaml with other ports, since Envoy reads none from the
// environment.
func (f *fleet) startEnvoy(i int, envoy, module, webdis string) error {
	text, err := os.ReadFile("examples/fleet/envoy.yaml")
	if err != nil {
		return err
	}
	port := freePort()
	_, backend, _ := net.SplitHostPort(f.backend.Listener.Addr().String())
	config := strings.NewReplacer("port_value: 8080", "port_value: "+port, "port_value: 9901", "port_value: "+freePort(),
		"port_value: 9000", "port_value: "+backend, "port_value: 7379", "port_value: "+webdis, "bin/hookward.wasm", module).Replace(string(text))
	file := filepath.Join(f.dir, fmt.Sprintf("envoy-%d", i+1))
	if err := os.WriteFile(file+".yaml", []byte(config), 0o600); err != nil {
		return err
	}
	f.gates = append(f.gates, gate{fmt.Sprintf("Envoy %d", i+1), "http://localhost:" + port})
	_, err = f.run("127.0.0.1:"+port, file+".log", []string{"META_APP_SECRET=" + f.secret},
		envoy, "-c", file+".yaml", "--use-dynamic-base-id", "--concurrency", "1")
	return err
}

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/hookward/hookward/e2e/hosts"
)

// TestXDS changes the configuration of a real Envoy again and again, through the
// control plane of the examples, while genuine and forged requests come in:
// every genuine one is accepted and reaches the backend once, every forged one
// is refused.
func TestXDS(t *testing.T) {
	module := hosts.BuildWasm(t, "./envoy-wasm")
	eachEnvoy(t, func(t *testing.T, binary string) {
		f := newFleet(t)
		f.startPlane(t, module)
		f.envoy = f.startEnvoy(t, binary)
		f.served(t)
		l := startLoad(t, hooksURL(t, f.envoy, ""))
		defer l.stop()
		f.rotate(t, l, firstSecret, secondSecret)
		f.refuse(t, l, func() *hosts.Envoy { return f.startEnvoy(t, binary) })
		f.addAndRemove(t, l)
		f.rotate(t, l, secondSecret, thirdSecret)
		f.move(t)
		f.restart(t, l, hosts.BuildWasm(t, "./envoy-wasm", "-trimpath"))
		eventually(t, "there were enough messages", func() bool { return l.genuine.Load()+l.forged.Load() >= leastMessages || t.Failed() })
		l.stop()
		l.compare(t, f.ledger)
		l.again(t, thirdSecret)
		f.keepsSecrets(t)
	})
}

// The secrets are told apart from all else in the logs.
const (
	firstSecret  = "s3cr3t-of-january"
	secondSecret = "s3cr3t-of-february"
	thirdSecret  = "s3cr3t-of-march"
)

// xdsFleet is a control plane, an Envoy, and two backends that write into one
// ledger.
type xdsFleet struct {
	plane     *hosts.Process
	planePort int
	envoy     *hosts.Envoy
	config    string // the file that is edited
	endpoints []object
	changes   int
	ledger    *ledger
	backends  [2]string
	// secretFiles hold the endpoint's secret and the one before.
	secretFiles [2]string
}

func newFleet(t *testing.T) *xdsFleet {
	folder := t.TempDir()
	f := &xdsFleet{config: filepath.Join(folder, "hookward.yaml"), ledger: &ledger{seen: map[string]int{}}, planePort: hosts.FreePort(t)}
	f.secretFiles = [2]string{filepath.Join(folder, "secret"), filepath.Join(folder, "secret-old")}
	for i := range f.backends {
		f.backends[i] = f.ledger.start(t)
	}
	f.endpoints = []object{{
		"path": "/hooks/meta", "backend": f.backends[0], "provider": "meta",
		"secrets": []string{"{file." + f.secretFiles[0] + "}", "{file." + f.secretFiles[1] + "}"},
	}}
	f.writeSecrets(t, firstSecret, firstSecret)
	f.edit(t)
	return f
}

func (f *xdsFleet) startPlane(t *testing.T, module string, flags ...string) {
	t.Helper()
	flags = append(flags, "--listen", fmt.Sprintf("127.0.0.1:%d", f.planePort), "--config", f.config, "--wasm", module)
	f.plane = hosts.StartProgram(t, f.planePort, hosts.Build(t, "./examples/xds"), flags...)
}

// startEnvoy starts an Envoy with the example's bootstrap, at other ports.
func (f *xdsFleet) startEnvoy(t *testing.T, binary string) *hosts.Envoy {
	t.Helper()
	return hosts.StartEnvoy(t, binary, f.bootstrap(t), "--concurrency", "2")
}

func (f *xdsFleet) bootstrap(t *testing.T) object {
	t.Helper()
	return exampleYAML(t, "xds/envoy.yaml", "18000", fmt.Sprint(f.planePort), "9901", "0")
}

// exampleYAML reads a file of the examples with some texts replaced by others.
func exampleYAML(t *testing.T, path string, replaced ...string) (document object) {
	t.Helper()
	text := strings.NewReplacer(replaced...).Replace(fileText(t, "examples/"+path))
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return document
}

// hooksURL is where an Envoy takes webhooks.
func hooksURL(t *testing.T, envoy *hosts.Envoy, path string) string {
	t.Helper()
	return "http://" + envoy.Addresses(t)["hooks"] + path
}

// edit writes the file that the control plane watches.
func (f *xdsFleet) edit(t *testing.T) {
	t.Helper()
	text := toJSON(t, object{"listen": "127.0.0.1:0", "endpoints": f.endpoints})
	replaceFile(t, f.config, text)
	f.changes++
}

func (f *xdsFleet) served(t *testing.T) {
	t.Helper()
	f.plane.WaitForOutput(t, fmt.Sprintf("msg=serving change=%d\n", f.changes))
}

func (f *xdsFleet) writeSecrets(t *testing.T, secret, old string) {
	t.Helper()
	for i, text := range []string{secret, old} {
		replaceFile(t, f.secretFiles[i], text+"\n")
	}
}

// replaceFile writes a file that others watch: they see the old text or the new.
func replaceFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// rotate replaces a secret as its owner would: the new one beside the old one,
// the provider is told, the old one goes.
func (f *xdsFleet) rotate(t *testing.T, l *xdsLoad, from, to string) {
	f.writeSecrets(t, to, from)
	f.changes++
	f.served(t)
	l.settled(t, l.gate+"/hooks/meta", to, http.StatusOK)
	l.signWith(to)
	f.writeSecrets(t, to, to)
	f.changes++
	f.served(t)
	l.settled(t, l.gate+"/hooks/meta", from, http.StatusUnauthorized)
	l.retired.Store(from)
}

// refuse writes what can't be served: what the control plane sees itself, and
// what only Envoy knows. An Envoy that starts just then gets what the others
// have.
func (f *xdsFleet) refuse(t *testing.T, l *xdsLoad, another func() *hosts.Envoy) {
	good := f.endpoints
	for _, bad := range []struct {
		endpoint object
		reason   string
	}{
		{object{"path": "/hooks/bad", "backend": f.backends[1], "provider": "metta", "secrets": []string{"x"}}, "endpoints[1].provider: unknown provider"},
		{object{"path": "/hooks/bad", "backend": f.backends[1], "provider": "zavu", "secrets": []string{"{env.HOOKWARD_NOT_SET}"}}, "an Envoy refuses it: "},
	} {
		f.endpoints = append(good[:1:1], bad.endpoint)
		f.edit(t)
		f.plane.WaitForOutput(t, fmt.Sprintf("serves on\" change=%d reason=\"%s", f.changes, bad.reason))
	}
	f.envoy.WaitForOutput(t, "routes[1].secrets[0]: a placeholder is unknown or empty")
	l.settled(t, hooksURL(t, another(), "/hooks/meta"), secondSecret, http.StatusOK)
	f.endpoints = good
	f.edit(t)
	f.served(t)
}

// addAndRemove opens a second path for a while.
func (f *xdsFleet) addAndRemove(t *testing.T, l *xdsLoad) {
	l.settled(t, l.gate+"/hooks/second", "of the second", http.StatusNotFound)
	f.endpoints = append(f.endpoints, object{"path": "/hooks/second", "backend": f.backends[1], "provider": "meta", "name": "second", "secrets": []string{"of the second"}})
	f.edit(t)
	f.served(t)
	l.settled(t, l.gate+"/hooks/second", "of the second", http.StatusOK)
	f.endpoints = f.endpoints[:1]
	f.edit(t)
	f.served(t)
	l.settled(t, l.gate+"/hooks/second", "of the second", http.StatusNotFound)
}

// move gives an endpoint another backend.
func (f *xdsFleet) move(t *testing.T) {
	f.endpoints[0]["backend"] = f.backends[1]
	f.edit(t)
	f.served(t)
}

// restart stops the control plane, without which Envoy serves on, and starts it
// with another module.
func (f *xdsFleet) restart(t *testing.T, l *xdsLoad, module string) {
	f.keepsSecrets(t)
	f.plane.Stop()
	l.goesOn(t)
	f.startPlane(t, module)
	eventually(t, "Envoy takes the new module", func() bool { return strings.Contains(f.envoy.Get("/config_dump"), module) })
	l.goesOn(t)
}

// keepsSecrets looks for them in all logs.
func (f *xdsFleet) keepsSecrets(t *testing.T) {
	for name, log := range map[string]string{"the control plane": f.plane.Output(), "Envoy": f.envoy.Output()} {
		for _, secret := range []string{firstSecret, secondSecret, thirdSecret} {
			if strings.Contains(log, secret) {
				t.Errorf("%s logs the secret %q", name, secret)
			}
		}
	}
}

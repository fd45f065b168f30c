package hosts

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Envoy is a running Envoy.
type Envoy struct {
	*Process
	// Admin is the address of the admin interface.
	Admin string
}

// Envoys are the installed Envoys: the program's path by its version. Tests run
// in all of them.
func Envoys(t testing.TB) map[string]string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(Root(t), "e2e", ".venv", "*", "lib", "python*", "site-packages", "envoy", "_bin", "envoy"))
	if len(found) == 0 {
		t.Fatal("no Envoy: run make tools")
	}
	envoys := map[string]string{}
	for _, path := range found {
		version, _, _ := strings.Cut(strings.TrimPrefix(path, filepath.Join(Root(t), "e2e", ".venv")+"/"), "/")
		envoys[version] = path
	}
	return envoys
}

// NewestEnvoy is the program of the newest of Envoys.
func NewestEnvoy(t testing.TB) string {
	t.Helper()
	envoys := Envoys(t)
	return envoys[slices.Max(slices.Collect(maps.Keys(envoys)))]
}

// Filter is our filter as an HTTP filter of Envoy, with the flags that it needs.
// All filters of one module share one machine a worker.
type Filter struct {
	// Module is the path of the compiled module.
	Module string
	// Config is the filter's own configuration, in JSON.
	Config string
	// Name tells one configuration from another.
	Name string
	// HoldsHeaders is allow_on_headers_stop_iteration, without which a request
	// stalls.
	HoldsHeaders bool
	// Env are the variables that the filter sees.
	Env map[string]string
}

// JSON is the filter as Envoy reads it.
func (f Filter) JSON() map[string]any {
	vm := map[string]any{
		"vm_id": "hookward", "runtime": "envoy.wasm.runtime.v8",
		"code": map[string]any{"local": map[string]any{"filename": f.Module}},
	}
	if f.Env != nil {
		vm["environment_variables"] = map[string]any{"key_values": f.Env}
	}
	return map[string]any{
		"name": "hookward",
		"typed_config": map[string]any{
			"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
			"config": map[string]any{
				"name": f.Name, "root_id": f.Name, "vm_config": vm,
				"failure_policy":                  "FAIL_RELOAD",
				"allow_on_headers_stop_iteration": f.HoldsHeaders,
				"configuration":                   map[string]any{"@type": "type.googleapis.com/google.protobuf.StringValue", "value": f.Config},
			},
		},
	}
}

// Listener is an HTTP listener on a free port that hands what passes its
// filters to the backend. The loader stands for a trusted proxy, so that it can
// name client and scheme.
func Listener(name, backend string, filters ...map[string]any) map[string]any {
	router := map[string]any{
		"name": "envoy.filters.http.router",
		"typed_config": map[string]any{
			"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router", "suppress_envoy_headers": true,
		},
	}
	return map[string]any{
		"name":                              name,
		"address":                           socket("127.0.0.1", 0),
		"per_connection_buffer_limit_bytes": 16 << 20,
		"filter_chains": []any{map[string]any{"filters": []any{map[string]any{
			"name": "envoy.filters.network.http_connection_manager",
			"typed_config": map[string]any{
				"@type":       "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
				"stat_prefix": "e2e", "codec_type": "AUTO",
				"use_remote_address": true, "xff_num_trusted_hops": 1, "generate_request_id": false,
				"http_protocol_options": map[string]any{"enable_trailers": true, "allow_custom_methods": true},
				"http_filters":          append(anys(filters), router),
				"route_config": map[string]any{
					"request_headers_to_remove": []string{"x-envoy-external-address", "x-envoy-internal", "x-case"},
					"virtual_hosts": []any{map[string]any{
						"name": "all", "domains": []string{"*"},
						"routes": []any{map[string]any{
							"match": map[string]any{"prefix": "/"}, "route": map[string]any{"cluster": backend, "timeout": "60s"},
						}},
					}},
				},
			},
		}}}},
	}
}

// ManagerOf is the HTTP connection manager of a listener, to be changed.
func ManagerOf(listener map[string]any) map[string]any {
	return at(first(at(first(listener["filter_chains"]), "filters")), "typed_config").(map[string]any)
}

// RouteOf is the one route of a listener, to be changed.
func RouteOf(listener map[string]any) map[string]any {
	host := first(at(at(ManagerOf(listener), "route_config"), "virtual_hosts"))
	return at(first(at(host, "routes")), "route").(map[string]any)
}

func at(v any, key string) any { return v.(map[string]any)[key] }
func first(v any) any          { return v.([]any)[0] }

// Cluster is a backend of Envoy's.
func Cluster(name, address string) map[string]any {
	host, port, _ := strings.Cut(address, ":")
	var number int
	_, _ = fmt.Sscan(port, &number)
	return map[string]any{
		"name": name, "type": "STATIC", "connect_timeout": "30s",
		"typed_extension_protocol_options": map[string]any{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": map[string]any{
			"@type":                "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
			"explicit_http_config": map[string]any{"http_protocol_options": map[string]any{"enable_trailers": true}},
		}},
		"load_assignment": map[string]any{
			"cluster_name": name,
			"endpoints": []any{map[string]any{"lb_endpoints": []any{map[string]any{
				"endpoint": map[string]any{"address": socket(host, number)},
			}}}},
		},
	}
}

func socket(address string, port int) map[string]any {
	return map[string]any{"socket_address": map[string]any{"address": address, "port_value": port}}
}

func anys[T any](list []T) (all []any) {
	for _, v := range list {
		all = append(all, v)
	}
	return all
}

// Bootstrap is Envoy's static configuration.
func Bootstrap(listeners []map[string]any, clusters ...map[string]any) map[string]any {
	return map[string]any{
		"admin":            map[string]any{"address": socket("127.0.0.1", 0)},
		"static_resources": map[string]any{"listeners": listeners, "clusters": clusters},
		"stats_config":     map[string]any{"stats_tags": StatsTags()},
	}
}

// StatsTags make labels of what our metrics have in their names.
func StatsTags() (tags []any) {
	for _, label := range []string{"name", "provider", "verdict", "code", "type", "class", "index", "store"} {
		tags = append(tags, map[string]any{"tag_name": label, "regex": `^(?:wasmcustom\.)?hookward_.*?(;` + label + `=([^;]*))`})
	}
	return tags
}

// StartEnvoy runs Envoy with a bootstrap configuration, and waits until its
// listeners are there.
func StartEnvoy(t testing.TB, binary string, bootstrap any, args ...string) *Envoy {
	t.Helper()
	e := RunEnvoy(t, binary, bootstrap, args...)
	e.WaitForListeners(t)
	return e
}

// WaitForListeners waits until Envoy serves.
func (e *Envoy) WaitForListeners(t testing.TB) {
	t.Helper()
	e.waitFor(t, "its listeners", func() bool { return e.Get("/ready") == "LIVE\n" })
}

// RunEnvoy is StartEnvoy that waits for the admin interface only.
func RunEnvoy(t testing.TB, binary string, bootstrap any, args ...string) *Envoy {
	t.Helper()
	dir := t.TempDir()
	data, err := json.Marshal(withPorts(t, bootstrap))
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "envoy.json")
	if err := os.WriteFile(config, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return RunEnvoyFile(t, binary, config, nil, args...)
}

// RunEnvoyFile runs Envoy with a bootstrap in a file, in the file's folder. When
// the test ends, its log must hold nothing private.
func RunEnvoyFile(t testing.TB, binary, config string, env []string, args ...string) *Envoy {
	t.Helper()
	bootstrap, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	admin := filepath.Join(t.TempDir(), "admin")
	args = append([]string{"-c", config, "--admin-address-path", admin, "--log-level", "warning"}, args...)
	if !slices.Contains(args, "--base-id") { // by which the next process takes over
		args = append(args, "--use-dynamic-base-id")
	}
	if !slices.Contains(args, "--component-log-level") {
		args = append(args, "--component-log-level", "wasm:info")
	}
	e := &Envoy{Process: start(t, env, filepath.Dir(config), binary, args...)}
	t.Cleanup(func() { e.keepsPrivate(t, bootstrap) })
	e.waitFor(t, "its admin interface", func() bool {
		address, _ := os.ReadFile(admin)
		e.Admin = string(address)
		return e.Admin != ""
	})
	return e
}

// Get asks the admin interface; "" if it does not answer.
func (e *Envoy) Get(path string) string {
	resp, err := http.Get("http://" + e.Admin + path)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return string(text)
}

// Addresses are the addresses of the listeners by their names.
func (e *Envoy) Addresses(t testing.TB) map[string]string {
	t.Helper()
	var status struct {
		Listeners []struct {
			Name    string `json:"name"`
			Address struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal([]byte(e.Get("/listeners?format=json")), &status); err != nil {
		t.Fatal(err)
	}
	addresses := map[string]string{}
	for _, l := range status.Listeners {
		addresses[l.Name] = fmt.Sprintf("%s:%d", l.Address.Socket.Address, l.Address.Socket.Port)
	}
	return addresses
}

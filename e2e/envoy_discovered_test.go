package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// discovered is a file that Envoy takes a listener or a filter from, and takes
// it from again whenever the file is replaced.
type discovered struct {
	file     string
	version  int
	resource func(config string) object // with this configuration of the filter
}

func newDiscovered(t *testing.T, resource func(config string) object) *discovered {
	return &discovered{file: filepath.Join(t.TempDir(), "resource.json"), resource: resource}
}

// source says to Envoy where the file is.
func (d *discovered) source() object {
	return object{"path_config_source": object{"path": d.file}}
}

// set replaces the file by a move, which is what Envoy watches for.
func (d *discovered) set(t *testing.T, config string) {
	t.Helper()
	d.version++
	text := toJSON(t, object{"version_info": fmt.Sprint(d.version), "resources": []any{d.resource(config)}})
	if err := os.WriteFile(d.file+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(d.file+".new", d.file); err != nil {
		t.Fatal(err)
	}
}

// discoveredListener is a listener at a port, in front of the cluster of its name.
func discoveredListener(t *testing.T, name string, port int, config string) object {
	listener := setup{config: config}.listener(t, name)
	listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener"
	listener["address"] = object{"socket_address": object{"address": "127.0.0.1", "port_value": port}}
	return listener
}

// discoveredFilter is a filter by itself.
func discoveredFilter(t *testing.T, name, config string) object {
	return object{
		"@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig", "name": name,
		"typed_config": setup{config: config}.filter(t, name)["typed_config"],
	}
}

package hookward

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
)

var update = flag.Bool("update", false, "write what comes out into testdata; read the diff")

// divider stands between a Caddyfile and what it must come to: JSON, or the
// error.
const divider = "----------\n"

// TestAdapt adapts every Caddyfile of testdata/adapt and compares with what
// stands below the divider.
func TestAdapt(t *testing.T) {
	files, err := filepath.Glob("testdata/adapt/*.caddyfiletest")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files found (%v), there must be 10 at least", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".caddyfiletest"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			input, want, ok := strings.Cut(string(data), divider)
			if !ok && !*update {
				t.Fatal("no divider")
			}
			got := adaptFile(t, input)
			if *update {
				if err := os.WriteFile(file, []byte(input+divider+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			if formatted := string(caddyfile.Format([]byte(input))); formatted != input {
				t.Errorf("caddy fmt would write:\n%s", formatted)
			}
		})
	}
}

// adaptFile is the JSON of a Caddyfile, or the error and nothing else.
func adaptFile(t *testing.T, input string) string {
	t.Helper()
	result, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(input), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		return err.Error() + "\n"
	}
	for _, w := range warnings {
		t.Errorf("warning: %s", w)
	}
	return indent(t, result)
}

func indent(t *testing.T, data []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.MarshalIndent(v, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	return string(out) + "\n"
}

// TestAdaptedJSONLoads holds the two ways into a gate's configuration against
// each other: what a Caddyfile becomes is what the JSON reader reads.
func TestAdaptedJSONLoads(t *testing.T) {
	var gate, again Gate
	d := caddyfile.NewTestDispenser(`verify_webhook meta {
		name inbox
		secret {env.A} {env.B}
		verify_token {env.C}
		output original
		events message.* call.started
		max_body 2MiB
		allow_ips 192.0.2.0/24 private_ranges
		rate_limit 10/s 20
		max_age off
		sign_with {env.D}
		report_only
		replay {
			window 8d
			lease 90s
			on_error reject
			store memory m {
				max_claims 5
			}
		}
	}`)
	if err := gate.UnmarshalCaddyfile(d); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(&gate)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(gate.Config, again.Config) {
		t.Errorf("the Caddyfile gives\n%+v\nits JSON\n%+v", gate.Config, again.Config)
	}
}

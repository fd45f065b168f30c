package bridge

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

var update = flag.Bool("update", false, "write the golden files anew")

// wasiCalls are those that Envoy 1.36, the oldest supported, links. One more, and it refuses the module.
var wasiCalls = []string{
	"args_get", "args_sizes_get", "clock_time_get", "environ_get", "environ_sizes_get", "fd_close", "fd_fdstat_get",
	"fd_fdstat_set_flags", "fd_prestat_dir_name", "fd_prestat_get", "fd_read", "fd_write", "poll_oneoff",
	"proc_exit", "random_get", "sched_yield",
}

// exports are the SDK's call-backs, and what every library has.
var exports = []string{
	"_initialize", "proxy_abi_version_0_2_1", "proxy_on_configure", "proxy_on_context_create", "proxy_on_delete", "proxy_on_done",
	"proxy_on_downstream_connection_close", "proxy_on_downstream_data", "proxy_on_http_call_response", "proxy_on_log",
	"proxy_on_memory_allocate", "proxy_on_new_connection", "proxy_on_queue_ready", "proxy_on_request_body",
	"proxy_on_request_headers", "proxy_on_request_trailers", "proxy_on_response_body", "proxy_on_response_headers",
	"proxy_on_response_trailers", "proxy_on_tick", "proxy_on_upstream_connection_close", "proxy_on_upstream_data",
	"proxy_on_vm_start",
}

func TestModule(t *testing.T) {
	wasm, err := probe()
	if err != nil {
		t.Fatal(err)
	}
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter().WithCompilationCache(compiled))
	defer r.Close(t.Context())
	module, err := r.CompileModule(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}

	var env []string
	for _, f := range module.ImportedFunctions() {
		switch from, name, _ := f.Import(); {
		case from == "env":
			env = append(env, name)
		case from != "wasi_snapshot_preview1" || !slices.Contains(wasiCalls, name):
			t.Errorf("the module imports %s.%s, which Envoy 1.36 does not have", from, name)
		}
	}
	slices.Sort(env)
	if want := slices.Sorted(maps.Keys(hostCalls)); !slices.Equal(env, want) {
		t.Errorf("imports from env = %q, want %q", env, want)
	}
	if got := slices.Sorted(maps.Keys(module.ExportedFunctions())); !slices.Equal(got, exports) {
		t.Errorf("exports = %q, want %q", got, exports)
	}
}

// The contexts of the fake host, large enough to show a wrong sign.
const (
	root   = 0xF0000001
	first  = 0xF0000002
	second = 0xF0000003
)

// start brings up the VM and the plugin; "tcp" for configuration makes the probe a network filter.
func start(h *fakeHost, configuration string) {
	h.answers["proxy_get_buffer_bytes"] = configuration
	h.enter("proxy_on_context_create", root, 0)
	h.enter("proxy_on_vm_start", root, 9)
	h.enter("proxy_on_configure", root, 11)
	delete(h.answers, "proxy_get_buffer_bytes")
}

// Every argument of every call arrives as it was sent, in both directions.
func TestPlugin(t *testing.T) {
	h := newFakeHost(t)
	start(h, "peer")
	h.enter("proxy_on_tick", root)
	h.enter("proxy_on_queue_ready", root, uint64(theNumber))
	h.enter("proxy_on_done", root)
	h.enter("proxy_on_delete", root)
	h.compare("plugin")
}

func TestHTTP(t *testing.T) {
	h := newFakeHost(t)
	start(h, "peer")
	httpStream(h)
	h.enter("proxy_on_context_create", second, root)
	h.answers["proxy_get_header_map_value"] = "/refuse"
	h.enter("proxy_on_request_headers", second, 3, 0)
	h.compare("http")
}

func httpStream(h *fakeHost) {
	h.enter("proxy_on_context_create", first, root)
	h.enter("proxy_on_request_headers", first, 3, 0)
	h.enter("proxy_on_request_body", first, 4, 0)
	h.enter("proxy_on_request_body", first, 8, 1)
	if h.status == 0 {
		h.enter("proxy_on_http_call_response", root, uint64(theNumber), 3, 22, 1)
	}
	h.enter("proxy_on_request_trailers", first, 2)
	h.enter("proxy_on_response_headers", first, 5, 1)
	h.enter("proxy_on_response_body", first, 6, 1)
	h.enter("proxy_on_response_trailers", first, 7)
	h.enter("proxy_on_done", first)
	h.enter("proxy_on_log", first)
	h.enter("proxy_on_delete", first)
}

func TestTCP(t *testing.T) {
	h := newFakeHost(t)
	start(h, "tcp")
	h.enter("proxy_on_context_create", first, root)
	h.enter("proxy_on_new_connection", first)
	h.enter("proxy_on_downstream_data", first, 4, 0)
	h.enter("proxy_on_upstream_data", first, 5, 1)
	h.enter("proxy_on_downstream_connection_close", first, 2)
	h.enter("proxy_on_upstream_connection_close", first, 1)
	h.enter("proxy_on_log", first)
	h.compare("tcp")
}

// A host without a call says so, and the SDK's user gets to know.
func TestUnimplemented(t *testing.T) {
	h := newFakeHost(t)
	start(h, "peer")
	h.status = 12
	httpStream(h)
	h.compare("unimplemented")
}

// Empty answers come without memory.
func TestEmptyAnswers(t *testing.T) {
	h := newFakeHost(t)
	start(h, "peer")
	for call := range hostCalls {
		h.answers[call] = ""
	}
	httpStream(h)
	h.compare("empty")
}

// While a host call lasts, the host may enter a call-back of the same stream, which makes a host call of its
// own, moves the stack of the first, and reuses all memory that nothing refers to. The answers stay
// the same.
func TestNestedCalls(t *testing.T) {
	plain, nested := newFakeHost(t), newFakeHost(t)
	start(plain, "peer")
	start(nested, "peer")
	plain.record.Reset()
	nested.record.Reset()
	entered := map[string]bool{}
	var within func(call string)
	within = func(call string) {
		if entered[call] {
			return
		}
		entered[call] = true
		before := nested.record.Len()
		nested.within = nil
		nested.enter("proxy_on_response_trailers", first, 50<<len(entered)) // twice as deep every time
		nested.within = within
		nested.record.Truncate(before)
	}
	httpStream(plain)
	nested.within = within
	httpStream(nested)
	if len(entered) < 6 {
		t.Errorf("host calls nested = %v, want at least 6", entered)
	}
	if got, want := nested.record.String(), plain.record.String(); got != want {
		t.Errorf("with nested calls the probe and the host said\n%s\nand without\n%s", got, want)
	}
}

// An address that the host did not borrow is refused.
func TestForeignAddress(t *testing.T) {
	h := newFakeHost(t)
	start(h, "peer")
	h.address = func(_ string, ptr uint32) uint32 { return ptr + 8 }
	h.enter("proxy_on_queue_ready", root, 1)
	const want = `OnQueueReady: 0x1 "" "error status returned by host: internal failure"`
	if !strings.Contains(h.record.String(), strings.ReplaceAll(want, `"`, `\"`)) {
		t.Errorf("record =\n%s\nwant a log line with %s", h.record.String(), want)
	}
}

// An answer of no bytes is not asked for, but a host that does so gets an address.
func TestAllocateNothing(t *testing.T) {
	h := newFakeHost(t)
	if ptr := h.call("proxy_on_memory_allocate", 0); ptr == 0 {
		t.Error("proxy_on_memory_allocate(0) = 0, want an address")
	}
}

func TestRandom(t *testing.T) {
	var a, b [16]byte
	if !Random(a[:]) || !Random(b[:]) || a == b {
		t.Errorf("Random gave %x and %x, want two different values", a, b)
	}
	if !Random(nil) {
		t.Error("Random(nil) = false, want true")
	}
}

// compare holds the record against testdata/<name>.golden.
func (h *fakeHost) compare(name string) {
	h.t.Helper()
	file := filepath.Join("testdata", name+".golden")
	got := h.record.String()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			h.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		h.t.Fatal(err)
	}
	if got != string(want) {
		h.t.Errorf("the probe and the host said\n%s\nwant, as in %s,\n%s", got, file, want)
	}
}

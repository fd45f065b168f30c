package bridge

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// hostCalls are the env functions of ABI 0.2.0 that the SDK calls, each with its parameters:
//
//	number, long   an integer of 32 or 64 bits
//	bytes, pairs   an address and a size; pairs is a serialized map
//	->number       the address of an integer for the host to write, and the like
//	->bytes        the addresses of an address and a size for the host to write
var hostCalls = map[string]string{
	"proxy_log":                          "number bytes",
	"proxy_get_property":                 "bytes ->bytes",
	"proxy_set_property":                 "bytes bytes",
	"proxy_get_header_map_pairs":         "number ->pairs",
	"proxy_set_header_map_pairs":         "number pairs",
	"proxy_get_header_map_value":         "number bytes ->bytes",
	"proxy_add_header_map_value":         "number bytes bytes",
	"proxy_replace_header_map_value":     "number bytes bytes",
	"proxy_remove_header_map_value":      "number bytes",
	"proxy_get_buffer_bytes":             "number number number ->bytes",
	"proxy_set_buffer_bytes":             "number number number bytes",
	"proxy_continue_stream":              "number",
	"proxy_close_stream":                 "number",
	"proxy_send_local_response":          "number bytes bytes pairs number",
	"proxy_http_call":                    "bytes pairs bytes pairs number ->number",
	"proxy_call_foreign_function":        "bytes bytes ->bytes",
	"proxy_get_shared_data":              "bytes ->bytes ->number",
	"proxy_set_shared_data":              "bytes bytes number",
	"proxy_register_shared_queue":        "bytes ->number",
	"proxy_resolve_shared_queue":         "bytes bytes ->number",
	"proxy_enqueue_shared_queue":         "number bytes",
	"proxy_dequeue_shared_queue":         "number ->bytes",
	"proxy_define_metric":                "number bytes ->number",
	"proxy_increment_metric":             "number long",
	"proxy_record_metric":                "number long",
	"proxy_get_metric":                   "number ->long",
	"proxy_set_tick_period_milliseconds": "number",
	"proxy_set_effective_context":        "number",
	"proxy_done":                         "",
}

// The integers that the fake host answers: large enough to show a wrong width or sign.
const (
	theNumber uint32 = 0xFEDCBA98
	theLong   uint64 = 0xFEDCBA9876543210
)

// probe is the probe's module, compiled once for all tests.
var probe = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "probe")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "probe.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, "./testdata/probe")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the probe: %w\n%s", err, text)
	}
	return os.ReadFile(out)
})

// compiled keeps the compiled probe from one test to the next. The interpreter needs far less time to compile
// it than the compiler, above all under the race detector.
var compiled = wazero.NewCompilationCache()

// A fakeHost runs the probe, writes down every call in either direction, and answers as its fields say.
type fakeHost struct {
	t      *testing.T
	module api.Module
	record bytes.Buffer

	status  uint32                               // given by every call but proxy_log
	answers map[string]string                    // in the place of "answer of <call>"
	within  func(call string)                    // runs when the call's answer lies in memory that the host borrowed
	address func(call string, ptr uint32) uint32 // bends the addresses given to the probe
}

func newFakeHost(t *testing.T) *fakeHost {
	t.Helper()
	module, err := probe()
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	h := &fakeHost{t: t, answers: map[string]string{}}
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCompilationCache(compiled))
	t.Cleanup(func() { r.Close(context.Background()) })
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	env := r.NewHostModuleBuilder("env")
	for name, params := range hostCalls {
		kinds := strings.Fields(params)
		env.NewFunctionBuilder().WithGoModuleFunction(h.function(name, kinds), wasmTypes(kinds), []api.ValueType{api.ValueTypeI32}).Export(name)
	}
	if _, err := env.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	start := time.Unix(1_800_000_000, 0)
	config := wazero.NewModuleConfig().WithStartFunctions("_initialize").WithStderr(os.Stderr).WithRandSource(rand.Reader).
		WithWalltime(func() (int64, int32) { return start.Unix(), 0 }, 1).
		WithNanotime(func() int64 { return start.UnixNano() }, 1)
	h.module, err = r.InstantiateWithConfig(ctx, module, config)
	if err != nil {
		t.Fatalf("starting the probe: %v", err)
	}
	return h
}

func wasmTypes(kinds []string) (types []api.ValueType) {
	for _, kind := range kinds {
		switch kind {
		case "number", "->number", "->long":
			types = append(types, api.ValueTypeI32)
		case "long":
			types = append(types, api.ValueTypeI64)
		case "bytes", "pairs", "->bytes", "->pairs":
			types = append(types, api.ValueTypeI32, api.ValueTypeI32)
		default:
			panic("unknown kind of parameter " + kind)
		}
	}
	return types
}

// function makes the host's end of a call.
func (h *fakeHost) function(name string, kinds []string) api.GoModuleFunc {
	return func(ctx context.Context, _ api.Module, stack []uint64) {
		words, status := stack, h.status
		next := func() uint32 { w := uint32(words[0]); words = words[1:]; return w }
		if name == "proxy_log" {
			status = 0
		}
		line := name
		for _, kind := range kinds {
			switch kind {
			case "number":
				line += fmt.Sprint(" ", next())
			case "long":
				line += fmt.Sprint(" ", int64(words[0]))
				words = words[1:]
			case "bytes":
				line += fmt.Sprintf(" %q", h.read(next(), next()))
			case "pairs":
				line += fmt.Sprintf(" %q", parsePairs(h.read(next(), next())))
			case "->number":
				h.write(next(), binary.LittleEndian.AppendUint32(nil, theNumber))
			case "->long":
				h.write(next(), binary.LittleEndian.AppendUint64(nil, theLong))
			case "->bytes", "->pairs":
				if ptr, size := next(), next(); status == 0 {
					h.answer(name, kind, ptr, size)
				}
			}
		}
		fmt.Fprintln(&h.record, "  "+line)
		stack[0] = uint64(status)
	}
}

// answer lays the call's answer into memory of the probe's and writes the two addresses' contents. An
// empty answer has no memory, as in Envoy.
func (h *fakeHost) answer(name, kind string, ptrAt, sizeAt uint32) {
	data, ok := h.answers[name]
	if !ok {
		data = "answer of " + name
		if kind == "->pairs" {
			data = serializePairs("x-a", "1", "x-a", "2", "x-empty", "")
		}
	}
	var ptr uint32
	if data != "" {
		ptr = uint32(h.call("proxy_on_memory_allocate", uint64(len(data))))
		h.write(ptr, []byte(data))
	}
	if h.within != nil {
		h.within(name)
	}
	if h.address != nil {
		ptr = h.address(name, ptr)
	}
	h.write(ptrAt, binary.LittleEndian.AppendUint32(nil, ptr))
	h.write(sizeAt, binary.LittleEndian.AppendUint32(nil, uint32(len(data))))
}

// enter calls one of the probe's call-backs, and writes down its arguments and what it returns.
func (h *fakeHost) enter(callback string, args ...uint64) {
	h.t.Helper()
	fmt.Fprintln(&h.record, callback, args)
	result := h.call(callback, args...)
	if len(h.module.ExportedFunction(callback).Definition().ResultTypes()) > 0 {
		fmt.Fprintln(&h.record, "  returns", result)
	}
}

func (h *fakeHost) call(export string, args ...uint64) uint64 {
	h.t.Helper()
	f := h.module.ExportedFunction(export)
	if f == nil {
		h.t.Fatalf("the probe does not export %s", export)
	}
	results, err := f.Call(h.t.Context(), args...)
	if err != nil {
		h.t.Fatalf("%s: %v\nso far:\n%s", export, err, h.record.String())
	}
	if len(results) == 0 {
		return 0
	}
	return results[0]
}

func (h *fakeHost) read(ptr, size uint32) []byte {
	h.t.Helper()
	data, ok := h.module.Memory().Read(ptr, size)
	if !ok {
		h.t.Fatalf("the probe gave address %#x, size %d", ptr, size)
	}
	return data
}

func (h *fakeHost) write(ptr uint32, data []byte) {
	h.t.Helper()
	if ptr == 0 || !h.module.Memory().Write(ptr, data) {
		h.t.Fatalf("the probe gave address %#x for %d bytes", ptr, len(data))
	}
}

// serializePairs lays out a map: the count, every size, and then every key and value, each before a zero.
func serializePairs(fields ...string) string {
	out := binary.LittleEndian.AppendUint32(nil, uint32(len(fields)/2))
	for _, field := range fields {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(field)))
	}
	return string(out) + strings.Join(fields, "\x00") + "\x00"
}

func parsePairs(data []byte) (fields []string) {
	count := 2 * binary.LittleEndian.Uint32(data)
	sizes, texts := data[4:], data[4+4*count:]
	for range count {
		size := binary.LittleEndian.Uint32(sizes)
		fields = append(fields, string(texts[:size]))
		sizes, texts = sizes[4:], texts[size+1:]
	}
	return fields
}

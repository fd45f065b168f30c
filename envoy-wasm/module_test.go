package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/hookward/hookward/core/cases"
)

// TestModuleClockCases runs the cases that need a clock of their own through
// the compiled module, under a host whose time the test sets.
func TestModuleClockCases(t *testing.T) {
	all, err := cases.Load()
	if err != nil {
		t.Fatal(err)
	}
	h := newModule(t)
	ran := 0
	for i := range all {
		if c := &all[i]; c.ClockMatters {
			ran++
			t.Run(c.Name, func(t *testing.T) { h.run(t, uint32(1000*(i+1)), c) })
		}
	}
	if ran < 5 {
		t.Errorf("%d cases need a clock, there must be 5 at least", ran)
	}
}

// module is the compiled module, and a host for it that is as simple as can be:
// one request at a time.
type module struct {
	t      *testing.T
	module api.Module
	now    time.Time
	shared map[string]sharedValue
	last   uint32

	config []byte
	client string
	fields header
	body   []byte
	status int
	answer *cases.Answer

	faults
	ticks
	calls    httpCalls
	plugin   uint64 // the one that serves
	trailers header
	resumed  bool
	claimed  bool // in the fake Redis, when it was resumed
}

type sharedValue struct {
	value   []byte
	version uint32
}

// compiled keeps the compiled module from one test to the next.
var compiled = wazero.NewCompilationCache()

func newModule(t *testing.T) *module {
	t.Helper()
	return startModule(t.Context(), t, buildModule(t))
}

func startModule(ctx context.Context, t *testing.T, code []byte) *module {
	t.Helper()
	h := &module{t: t, shared: map[string]sharedValue{}}
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCompilationCache(compiled))
	t.Cleanup(func() { r.Close(ctx) })
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	compiled, err := r.CompileModule(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	env := r.NewHostModuleBuilder("env")
	for _, f := range compiled.ImportedFunctions() {
		if from, name, _ := f.Import(); from == "env" {
			env.NewFunctionBuilder().WithGoModuleFunction(h.function(name), f.ParamTypes(), f.ResultTypes()).Export(name)
		}
	}
	if _, err := env.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	h.now = time.Unix(1_800_000_000, 0)
	h.module, err = r.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithStartFunctions("_initialize").WithStderr(os.Stderr).
		WithWalltime(func() (int64, int32) { return h.now.Unix(), int32(h.now.Nanosecond()) }, 1).
		WithNanotime(func() int64 { return h.now.UnixNano() }, 1))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *module) call(name string, args ...uint64) uint32 {
	h.t.Helper()
	results, err := h.module.ExportedFunction(name).Call(h.t.Context(), args...)
	if err != nil {
		h.t.Fatalf("%s: %v", name, err)
	}
	if len(results) == 0 {
		return 0
	}
	return uint32(results[0])
}

// The ABI's statuses that the host answers with.
const (
	statusOK          = 0
	statusNotFound    = 1
	statusCasMismatch = 8
)

func (h *module) read(p, n uint64) string {
	data, _ := h.module.Memory().Read(uint32(p), uint32(n))
	return string(data)
}

// give hands bytes to the module, in memory that it allocates.
func (h *module) give(data []byte, address, size uint64) {
	p := h.call("proxy_on_memory_allocate", uint64(len(data)))
	m := h.module.Memory()
	m.Write(p, data)
	m.WriteUint32Le(uint32(address), p)
	m.WriteUint32Le(uint32(size), uint32(len(data)))
}

// function is the host's end of a call. What it does not know succeeds and does
// nothing.
func (h *module) function(name string) api.GoModuleFunc {
	return func(_ context.Context, _ api.Module, a []uint64) {
		status := uint64(statusOK)
		if h.fails(name) {
			a[0] = statusInternalFailure
			return
		}
		switch name {
		case "proxy_continue_stream":
			h.resumed, h.claimed = true, h.calls.redis.pending(h.now) > 0
		case "proxy_get_property":
			status = h.property(h.read(a[0], a[1]), a[2], a[3])
		case "proxy_get_header_map_pairs":
			const requestTrailers, callAnswer = 1, 6
			switch a[0] {
			case requestTrailers:
				h.give(packPairs(h.trailers), a[1], a[2])
			case callAnswer:
				h.give(packPairs(header{{":status", "200"}}), a[1], a[2])
			default:
				h.give(packPairs(h.fields), a[1], a[2])
			}
		case "proxy_http_call":
			h.module.Memory().WriteUint32Le(uint32(a[9]), h.calls.send(h.read(a[4], a[5]), h.now))
		case "proxy_set_header_map_pairs":
			h.fields = unpackPairs(h.read(a[1], a[2]))
		case "proxy_remove_header_map_value": // of which we use that of trailers
			h.trailers = slices.DeleteFunc(h.trailers, func(f [2]string) bool { return f[0] == h.read(a[1], a[2]) })
		case "proxy_get_header_map_value":
			h.give([]byte(strconv.Itoa(h.status)), a[3], a[4])
		case "proxy_get_buffer_bytes":
			const callAnswer, pluginConfiguration = 4, 7
			switch data := h.body; a[0] {
			case callAnswer:
				h.give([]byte(h.calls.body), a[3], a[4])
			case pluginConfiguration:
				h.give(h.config, a[3], a[4])
			default:
				h.give(data[a[1]:min(a[1]+a[2], uint64(len(data)))], a[3], a[4])
			}
		case "proxy_set_buffer_bytes":
			h.body = []byte(h.read(a[3], a[4]))
		case "proxy_send_local_response":
			h.status = int(a[0])
			h.answer = &cases.Answer{Status: h.status, Body: h.read(a[3], a[4]), Header: map[string]string{}}
			for _, f := range unpackPairs(h.read(a[5], a[6])) {
				h.answer.Header[f[0]] = f[1]
			}
		case "proxy_get_shared_data":
			v, ok := h.shared[h.read(a[0], a[1])]
			if !ok {
				status = statusNotFound
				break
			}
			h.give(v.value, a[2], a[3])
			h.module.Memory().WriteUint32Le(uint32(a[4]), v.version)
		case "proxy_set_shared_data":
			status = h.setShared(h.read(a[0], a[1]), h.read(a[2], a[3]), uint32(a[4]))
		case "proxy_set_tick_period_milliseconds":
			h.ticks = ticks{every: time.Duration(a[0]) * time.Millisecond, ticked: h.now}
		case "proxy_define_metric":
			h.module.Memory().WriteUint32Le(uint32(a[3]), 1)
		}
		a[0] = status
	}
}

func (h *module) property(path string, address, size uint64) uint64 {
	switch path {
	case "source\x00address":
		h.give([]byte(h.client+":1"), address, size)
	case "request\x00total_size":
		h.give(make([]byte, 8), address, size)
	case "response\x00code_details":
		h.give([]byte("via_upstream"), address, size)
	default:
		return statusNotFound
	}
	return statusOK
}

func (h *module) setShared(key, value string, version uint32) uint64 {
	if v, ok := h.shared[key]; ok && version != 0 && version != v.version {
		return statusCasMismatch
	}
	h.last++
	h.shared[key] = sharedValue{[]byte(value), h.last}
	return statusOK
}

func packPairs(h header) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(h)))
	for _, f := range h {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f[0])))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f[1])))
	}
	for _, f := range h {
		b = append(append(append(append(b, f[0]...), 0), f[1]...), 0)
	}
	return b
}

func unpackPairs(text string) (h header) {
	number := func() int {
		n := binary.LittleEndian.Uint32([]byte(text[:4]))
		text = text[4:]
		return int(n)
	}
	sizes := make([][2]int, number())
	for i := range sizes {
		sizes[i] = [2]int{number(), number()}
	}
	part := func(n int) string {
		s := text[:n]
		text = text[n+1:]
		return s
	}
	for _, n := range sizes {
		h = append(h, [2]string{part(n[0]), part(n[1])})
	}
	return h
}

// run runs a case as a plugin of its own, whose contexts are numbered from id.
func (h *module) run(t *testing.T, id uint32, c *cases.Case) {
	h.t = t
	h.configure(id, c)
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Later != "" {
			later, err := time.ParseDuration(s.Later)
			if err != nil {
				t.Fatal(err)
			}
			h.now = h.now.Add(later)
		}
		got, want := h.step(uint64(id), uint64(id)+uint64(i)+1, s).Comparable(), s.Want.Comparable()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("step %d:\n got %s\nwant %s", i, got, want)
		}
	}
}

func (h *module) configure(id uint32, c *cases.Case) {
	var gate map[string]any
	if err := json.Unmarshal(c.Config, &gate); err != nil {
		h.t.Fatal(err)
	}
	gate["path"] = "/*"
	h.config, _ = json.Marshal(map[string]any{"routes": []any{gate}})
	h.now, h.shared = c.Now, map[string]sharedValue{}
	h.call("proxy_on_context_create", uint64(id), 0)
	if h.call("proxy_on_configure", uint64(id), uint64(len(h.config))) == 0 {
		h.t.Fatal("the configuration was refused")
	}
}

func (h *module) step(plugin, id uint64, s *cases.Step) cases.Want {
	r := &s.Request
	h.client, h.body, h.answer, h.status = r.Client, r.Bytes(), nil, 0
	h.fields = header{{":method", r.Method}, {":path", r.Target}, {":authority", r.Host}, {"x-forwarded-proto", r.Scheme}}
	for _, f := range r.Header {
		h.fields = append(h.fields, [2]string{strings.ToLower(f[0]), f[1]})
	}
	const resume = 0
	h.call("proxy_on_context_create", id, plugin)
	action := h.call("proxy_on_request_headers", id, uint64(len(h.fields)), 0)
	if action != resume && h.answer == nil {
		action = h.call("proxy_on_request_body", id, uint64(len(h.body)), 1)
	}
	w := cases.Want{Outcome: s.Want.Outcome, Code: s.Want.Code, Answer: h.answer} // the words are in no answer
	if action == resume {
		w.Forward = &cases.Forward{Method: h.fields.first(":method"), Target: h.fields.first(":path"), Header: map[string][]string{}}
		for _, f := range h.fields {
			w.Forward.Header[f[0]] = append(w.Forward.Header[f[0]], f[1])
		}
		w.Forward.SetBytes(h.body)
		if h.status = s.Backend; h.status == 0 {
			h.status = http.StatusOK
		}
	}
	h.call("proxy_on_response_headers", id, 1, 1)
	h.call("proxy_on_done", id)
	h.call("proxy_on_log", id)
	h.call("proxy_on_delete", id)
	return w
}

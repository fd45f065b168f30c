// Callsfilter makes the calls to the host that the gate makes for a new message,
// and does nothing else: what Envoy serves with it is the most that it could serve
// with any gate that keeps what the gate promises.
package main

import (
	"bytes"
	"strconv"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/hookward/hookward/envoy-wasm/bridge"
	_ "github.com/hookward/hookward/envoy-wasm/bridge/responsebody"
	"github.com/hookward/hookward/envoy-wasm/shared"
)

func main() {}

func init() { proxywasm.SetVMContext(&vm{}) }

type vm struct{ types.DefaultVMContext }

func (*vm) NewPluginContext(uint32) types.PluginContext { return &plugin{} }

type plugin struct {
	types.DefaultPluginContext
	fields [][2]string // memory, used again
	groups int
}

func (p *plugin) NewHttpContext(uint32) types.HttpContext { return &stream{plugin: p} }

type stream struct {
	types.DefaultHttpContext
	plugin *plugin
	fields [][2]string
	group  string
}

func (s *stream) OnHttpRequestHeaders(int, bool) types.Action {
	bridge.Now()
	fields, err := bridge.RequestHeaders(s.plugin.fields[:0])
	must(err)
	s.plugin.fields, s.fields = nil, fields
	return types.ActionPause
}

// ours are as many fields as the gate adds, and as long.
var ours = [][2]string{
	{"x-hookward-version", "1"}, {"x-hookward-endpoint", "meta"}, {"x-hookward-provider", "meta"},
	{"x-hookward-delivery", "f976d7ce9107e02e59ac69b073e3361a"}, {"x-hookward-event", "message.received"},
	{"x-hookward-assurance", "signature"},
}

func (s *stream) OnHttpRequestBody(size int, end bool) types.Action {
	if !end {
		return types.ActionPause
	}
	body, err := bridge.RequestBody(size)
	must(err)
	s.plugin.groups++
	s.group = "calls/" + strconv.Itoa(s.plugin.groups%1000)
	change(s.group)
	body = append(body, bytes.Repeat([]byte(" "), len(body))...) // the gate's is twice as long
	fields := append(s.fields, ours...)
	for i := range fields {
		if fields[i][0] == "content-length" {
			fields[i][1] = strconv.Itoa(len(body))
		}
	}
	must(bridge.SetRequestHeaders(fields))
	must(proxywasm.ReplaceHttpRequestBody(body))
	s.plugin.fields = fields
	return types.ActionContinue
}

func (s *stream) OnHttpResponseHeaders(int, bool) types.Action {
	_, err := bridge.ResponseStatus()
	must(err)
	bridge.Property("response\x00code_details")
	return types.ActionContinue
}

func (s *stream) OnHttpResponseBody(_ int, end bool) types.Action {
	if end {
		bridge.Now()
		change(s.group)
	}
	return types.ActionContinue
}

// change writes as much as a group of claims holds that is half full.
func change(key string) {
	value, version, err := bridge.SharedData(key)
	must(err)
	if value == nil {
		value, version = make([]byte, 32*40), shared.Absent
	}
	_, err = bridge.SetSharedData(key, value, version)
	must(err)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

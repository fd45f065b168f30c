// Emptyfilter is the least that a filter can do which rewrites a request's
// body: it reads the body and sets it again. Benchmarks show with it what the
// gate costs beyond the host's own part.
package main

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	_ "github.com/hookward/hookward/envoy-wasm/bridge"
)

func main() {}

func init() { proxywasm.SetVMContext(&vm{}) }

type vm struct{ types.DefaultVMContext }

func (*vm) NewPluginContext(uint32) types.PluginContext { return &plugin{} }

type plugin struct{ types.DefaultPluginContext }

func (*plugin) NewHttpContext(uint32) types.HttpContext { return &stream{} }

type stream struct{ types.DefaultHttpContext }

func (*stream) OnHttpRequestHeaders(int, bool) types.Action { return types.ActionPause }

func (*stream) OnHttpRequestBody(size int, end bool) types.Action {
	if !end {
		return types.ActionPause
	}
	body, err := proxywasm.GetHttpRequestBody(0, size)
	if err == nil {
		err = proxywasm.ReplaceHttpRequestBody(body)
	}
	if err != nil {
		panic(err)
	}
	return types.ActionContinue
}

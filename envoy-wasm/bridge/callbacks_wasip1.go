package bridge

import _ "unsafe" // for go:linkname

// The host calls us by these names, as far as the module has them: those that are
// not every filter's are in packages of their own. Each call-back enters the SDK by the function that it has for its own
// tests; the SDK's ints are 64 bits wide, and flags are Go's bool, whereas the ABI has 32-bit integers alone.

//go:wasmexport proxy_on_vm_start
func onVMStart(vm, configurationSize uint32) bool {
	return sdkVMStart(vm, int(configurationSize))
}

//go:linkname sdkVMStart github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnVMStart
func sdkVMStart(vm uint32, configurationSize int) bool

//go:wasmexport proxy_on_configure
func onConfigure(plugin, configurationSize uint32) bool {
	return sdkConfigure(plugin, int(configurationSize))
}

//go:linkname sdkConfigure github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnConfigure
func sdkConfigure(plugin uint32, configurationSize int) bool

//go:wasmexport proxy_on_context_create
func onContextCreate(context, plugin uint32) {
	sdkContextCreate(context, plugin)
}

//go:linkname sdkContextCreate github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnContextCreate
func sdkContextCreate(context, plugin uint32)

//go:wasmexport proxy_on_tick
func onTick(plugin uint32) {
	sdkTick(plugin)
}

//go:linkname sdkTick github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnTick
func sdkTick(plugin uint32)

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(context, count, end uint32) uint32 {
	return sdkRequestHeaders(context, int(count), end != 0)
}

//go:linkname sdkRequestHeaders github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnRequestHeaders
func sdkRequestHeaders(context uint32, count int, end bool) uint32

//go:wasmexport proxy_on_request_body
func onRequestBody(context, size, end uint32) uint32 {
	return sdkRequestBody(context, int(size), end != 0)
}

//go:linkname sdkRequestBody github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnRequestBody
func sdkRequestBody(context uint32, size int, end bool) uint32

//go:wasmexport proxy_on_request_trailers
func onRequestTrailers(context, count uint32) uint32 {
	return sdkRequestTrailers(context, int(count))
}

//go:linkname sdkRequestTrailers github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnRequestTrailers
func sdkRequestTrailers(context uint32, count int) uint32

//go:wasmexport proxy_on_response_headers
func onResponseHeaders(context, count, end uint32) uint32 {
	return sdkResponseHeaders(context, int(count), end != 0)
}

//go:linkname sdkResponseHeaders github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnResponseHeaders
func sdkResponseHeaders(context uint32, count int, end bool) uint32

//go:wasmexport proxy_on_http_call_response
func onHTTPCallResponse(plugin, call, headers, bodySize, trailers uint32) {
	sdkHTTPCallResponse(plugin, call, int(headers), int(bodySize), int(trailers))
}

//go:linkname sdkHTTPCallResponse github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnHttpCallResponse
func sdkHTTPCallResponse(plugin, call uint32, headers, bodySize, trailers int)

//go:wasmexport proxy_on_log
func onLog(context uint32) {
	sdkLog(context)
}

//go:linkname sdkLog github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnLog
func sdkLog(context uint32)

//go:wasmexport proxy_on_done
func onDone(context uint32) bool {
	return sdkDone(context)
}

//go:linkname sdkDone github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnDone
func sdkDone(context uint32) bool

//go:wasmexport proxy_on_delete
func onDelete(context uint32) {
	sdkDelete(context)
}

//go:linkname sdkDelete github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnDelete
func sdkDelete(context uint32)

// onABIVersion is never called: that the module exports this name tells the host which ABI it speaks:
// the SDK's 0.2.0 and one call more, proxy_get_log_level.
//
//go:wasmexport proxy_abi_version_0_2_1
func onABIVersion() {}

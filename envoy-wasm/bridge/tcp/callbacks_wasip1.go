package tcp

import _ "unsafe" // for go:linkname

//go:wasmexport proxy_on_new_connection
func onNewConnection(context uint32) uint32 {
	return sdkNewConnection(context)
}

//go:linkname sdkNewConnection github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnNewConnection
func sdkNewConnection(context uint32) uint32

//go:wasmexport proxy_on_downstream_data
func onDownstreamData(context, size, end uint32) uint32 {
	return sdkDownstreamData(context, int(size), end != 0)
}

//go:linkname sdkDownstreamData github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnDownstreamData
func sdkDownstreamData(context uint32, size int, end bool) uint32

//go:wasmexport proxy_on_downstream_connection_close
func onDownstreamConnectionClose(context, peer uint32) {
	sdkDownstreamConnectionClose(context, peer)
}

//go:linkname sdkDownstreamConnectionClose github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnDownstreamConnectionClose
func sdkDownstreamConnectionClose(context, peer uint32)

//go:wasmexport proxy_on_upstream_data
func onUpstreamData(context, size, end uint32) uint32 {
	return sdkUpstreamData(context, int(size), end != 0)
}

//go:linkname sdkUpstreamData github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnUpstreamData
func sdkUpstreamData(context uint32, size int, end bool) uint32

//go:wasmexport proxy_on_upstream_connection_close
func onUpstreamConnectionClose(context, peer uint32) {
	sdkUpstreamConnectionClose(context, peer)
}

//go:linkname sdkUpstreamConnectionClose github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnUpstreamConnectionClose
func sdkUpstreamConnectionClose(context, peer uint32)

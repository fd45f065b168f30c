package responsebody

import _ "unsafe" // for go:linkname

//go:wasmexport proxy_on_response_body
func onResponseBody(context, size, end uint32) uint32 {
	return sdkResponseBody(context, int(size), end != 0)
}

//go:linkname sdkResponseBody github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnResponseBody
func sdkResponseBody(context uint32, size int, end bool) uint32

//go:wasmexport proxy_on_response_trailers
func onResponseTrailers(context, count uint32) uint32 {
	return sdkResponseTrailers(context, int(count))
}

//go:linkname sdkResponseTrailers github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnResponseTrailers
func sdkResponseTrailers(context uint32, count int) uint32

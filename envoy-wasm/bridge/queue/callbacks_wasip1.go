package queue

import _ "unsafe" // for go:linkname

//go:wasmexport proxy_on_queue_ready
func onQueueReady(plugin, queue uint32) {
	sdkQueueReady(plugin, queue)
}

//go:linkname sdkQueueReady github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyOnQueueReady
func sdkQueueReady(plugin, queue uint32)

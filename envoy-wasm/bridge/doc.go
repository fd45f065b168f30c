// Package bridge lets github.com/tetratelabs/proxy-wasm-go-sdk run on the official Go toolchain.
//
// The SDK binds its host calls and call-backs to Envoy for TinyGo only. For any other compiler it sends
// every host call to a fake host that unit tests register, and gives those tests a plain Go function for
// each call-back. Both ends are enough to drive it: this package registers a host whose calls are the
// real imports, and exports call-backs that enter by the tests' functions. TinyGo is thus not needed,
// with its partial standard library and its slower code; a filter is written to the SDK's public API
// and tested with its proxytest, and does not know of the bridge but for one line in package main:
//
//	import _ "github.com/hookward/hookward/envoy-wasm/bridge"
//
// Envoy calls every call-back that a module exports, and each call costs about a microsecond, whatever it
// does. So those that few filters have are in packages of their own, to be imported likewise: bridge/responsebody,
// bridge/tcp and bridge/queue.
//
// Build it with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared
//
// Such a module is a library: Envoy runs its init functions and never its main. So call
// proxywasm.SetVMContext in an init function of package main, which runs after the bridge's own.
//
// Before Envoy 1.39, a filter must not let the Go scheduler wait: from the first timer on, every garbage
// collection calls poll_oneoff, which those versions answer with an error, and the VM dies. So no time.AfterFunc,
// time.Sleep, context.WithTimeout or crypto/rand (see [Random]). The runtime has a timer of its own, for
// giving memory back, which only starts when a call-back waits: so no goroutine, channel or contended lock to
// wait for, and no runtime.GC or debug.FreeOSMemory. Collections that allocations start are safe.
//
// Nothing the host answers lives outside Go's heap. The SDK's strings and slices alias the buffers that
// the bridge gave the host; they stay valid for as long as they are referenced, and hold the whole
// buffer for as long.
//
// Outside of wasip1 the package has only [Random], [LogsDebug] and the metrics, so that filters using it still build for unit tests.
package bridge

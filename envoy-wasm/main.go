// Hookward.wasm is the gate as a filter of Envoy, by proxy-wasm. It is built by
// the official Go toolchain (see the package bridge), and postlink then makes it
// faster:
//
//	make wasm
//
// What is decided here is decided by the core; this package translates between
// Envoy's call-backs and the core's steps. Envoy may enter a call-back from
// within a host call: after one that can end a stream (replacing a body above
// the buffer limit does), look whether it has ended.
package main

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	_ "github.com/hookward/hookward/envoy-wasm/bridge"
	_ "github.com/hookward/hookward/envoy-wasm/bridge/responsebody"
)

// Envoy runs init functions only: the module is a library to it.
func main() {}

func init() { proxywasm.SetVMContext(&vm{}) }

// vm is one worker's machine. Old and new configurations live in it side by
// side, so that it holds nothing of theirs.
type vm struct{ types.DefaultVMContext }

func (*vm) NewPluginContext(uint32) types.PluginContext { return newPluginContext() }

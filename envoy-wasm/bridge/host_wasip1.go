package bridge

import (
	"runtime"
	_ "unsafe" // for go:linkname

	// The SDK has to be initialized before the host can be registered.
	_ "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
)

// A host is the SDK's internal.ProxyWasmHost, method for method, with plain integers in the place of its
// internal types. The two have the same method table, as that is sorted by name; a test holds
// them against each other.
type host interface {
	ProxyLog(level uint32, message *byte, messageSize int) uint32

	ProxyGetProperty(path *byte, pathSize int, value **byte, valueSize *int) uint32
	ProxySetProperty(path *byte, pathSize int, value *byte, valueSize int) uint32

	ProxyGetHeaderMapPairs(kind uint32, pairs **byte, pairsSize *int) uint32
	ProxySetHeaderMapPairs(kind uint32, pairs *byte, pairsSize int) uint32
	ProxyGetHeaderMapValue(kind uint32, key *byte, keySize int, value **byte, valueSize *int) uint32
	ProxyAddHeaderMapValue(kind uint32, key *byte, keySize int, value *byte, valueSize int) uint32
	ProxyReplaceHeaderMapValue(kind uint32, key *byte, keySize int, value *byte, valueSize int) uint32
	ProxyRemoveHeaderMapValue(kind uint32, key *byte, keySize int) uint32

	ProxyGetBufferBytes(kind uint32, start, length int, data **byte, size *int) uint32
	ProxySetBufferBytes(kind uint32, start, length int, data *byte, size int) uint32

	ProxyContinueStream(stream uint32) uint32
	ProxyCloseStream(stream uint32) uint32
	ProxySendLocalResponse(code uint32, details *byte, detailsSize int, body *byte, bodySize int, headers *byte, headersSize int, grpcStatus int32) uint32

	ProxyHttpCall(upstream *byte, upstreamSize int, headers *byte, headersSize int, body *byte, bodySize int, trailers *byte, trailersSize int, timeout uint32, call *uint32) uint32
	ProxyCallForeignFunction(name *byte, nameSize int, param *byte, paramSize int, result **byte, resultSize *int) uint32

	ProxyGetSharedData(key *byte, keySize int, value **byte, valueSize *int, cas *uint32) uint32
	ProxySetSharedData(key *byte, keySize int, value *byte, valueSize int, cas uint32) uint32

	ProxyRegisterSharedQueue(name *byte, nameSize int, queue *uint32) uint32
	ProxyResolveSharedQueue(vm *byte, vmSize int, name *byte, nameSize int, queue *uint32) uint32
	ProxyEnqueueSharedQueue(queue uint32, value *byte, valueSize int) uint32
	ProxyDequeueSharedQueue(queue uint32, value **byte, valueSize *int) uint32

	ProxyDefineMetric(kind uint32, name *byte, nameSize int, metric *uint32) uint32
	ProxyIncrementMetric(metric uint32, offset int64) uint32
	ProxyRecordMetric(metric uint32, value uint64) uint32
	ProxyGetMetric(metric uint32, value *uint64) uint32

	ProxySetTickPeriodMilliseconds(period uint32) uint32
	ProxySetEffectiveContext(context uint32) uint32
	ProxyDone() uint32
}

// registerHost keeps the SDK's test mutex locked until the function it returns is called, which the bridge
// never does: there is one host for the life of the VM.
//
//go:linkname registerHost github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.RegisterMockWasmHost
func registerHost(host) (release func())

func init() {
	registerHost(&envoy{})
	keepMethods()
}

// keepMethods refers to every method of envoy. The linker drops the methods that no call can reach; it
// compares names and types, and the SDK calls them by its own types, so it would drop them all and
// leave holes in the method table.
//
//go:noinline
func keepMethods() {
	runtime.KeepAlive([...]any{
		(*envoy).ProxyLog,
		(*envoy).ProxyGetProperty,
		(*envoy).ProxySetProperty,
		(*envoy).ProxyGetHeaderMapPairs,
		(*envoy).ProxySetHeaderMapPairs,
		(*envoy).ProxyGetHeaderMapValue,
		(*envoy).ProxyAddHeaderMapValue,
		(*envoy).ProxyReplaceHeaderMapValue,
		(*envoy).ProxyRemoveHeaderMapValue,
		(*envoy).ProxyGetBufferBytes,
		(*envoy).ProxySetBufferBytes,
		(*envoy).ProxyContinueStream,
		(*envoy).ProxyCloseStream,
		(*envoy).ProxySendLocalResponse,
		(*envoy).ProxyHttpCall,
		(*envoy).ProxyCallForeignFunction,
		(*envoy).ProxyGetSharedData,
		(*envoy).ProxySetSharedData,
		(*envoy).ProxyRegisterSharedQueue,
		(*envoy).ProxyResolveSharedQueue,
		(*envoy).ProxyEnqueueSharedQueue,
		(*envoy).ProxyDequeueSharedQueue,
		(*envoy).ProxyDefineMetric,
		(*envoy).ProxyIncrementMetric,
		(*envoy).ProxyRecordMetric,
		(*envoy).ProxyGetMetric,
		(*envoy).ProxySetTickPeriodMilliseconds,
		(*envoy).ProxySetEffectiveContext,
		(*envoy).ProxyDone,
	})
}

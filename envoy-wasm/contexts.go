package main

import (
	"unsafe"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

// The SDK holds a plugin and its streams as interfaces. Of every type that can
// be reached from a type which is held so, the linker keeps all methods that
// any interface names: with the gate itself in an interface, half a megabyte of
// code that nobody calls (formatting of times, to begin with). So what the SDK
// holds are these handles, which hide what they lead to: a plugin behind
// functions, a stream behind a pointer without a type, for which nothing need be
// allocated.

// callback is one of the host's calls to us.
type callback uint8

const (
	onRequestHeaders callback = iota
	onRequestBody
	onRequestTrailers
	onResponseHeaders
	onResponseBody
	onResponseTrailers
	onStreamDone
	onClaimAnswer
)

var callbackNames = [...]string{"request headers", "request body", "request trailers", "response headers", "response body", "response trailers", "stream done", "claim answer"}

// httpContext is a stream to the SDK. It lies in the stream that it leads to.
type httpContext struct {
	types.DefaultHttpContext
	stream unsafe.Pointer
}

func newStream(p *plugin, id uint32) *stream {
	s := &stream{plugin: p, id: id}
	s.context.stream = unsafe.Pointer(s)
	return s
}

func (h *httpContext) call(c callback, size int, end bool) types.Action {
	return (*stream)(h.stream).call(c, size, end)
}

func (h *httpContext) OnHttpRequestHeaders(n int, end bool) types.Action {
	return h.call(onRequestHeaders, n, end)
}

func (h *httpContext) OnHttpRequestBody(size int, end bool) types.Action {
	return h.call(onRequestBody, size, end)
}

func (h *httpContext) OnHttpRequestTrailers(n int) types.Action {
	return h.call(onRequestTrailers, n, true)
}

func (h *httpContext) OnHttpResponseHeaders(n int, end bool) types.Action {
	return h.call(onResponseHeaders, n, end)
}

func (h *httpContext) OnHttpResponseBody(size int, end bool) types.Action {
	return h.call(onResponseBody, size, end)
}

func (h *httpContext) OnHttpResponseTrailers(n int) types.Action {
	return h.call(onResponseTrailers, n, true)
}

func (h *httpContext) OnHttpStreamDone() { h.call(onStreamDone, 0, true) }

// call enters the stream, and answers where that panics: a panic that leaves us
// would end the machine and every request of this worker.
func (s *stream) call(c callback, size int, end bool) (action types.Action) {
	defer s.guard(c, &action)
	s.ended = c == onStreamDone
	fault(c, s)
	switch c {
	case onRequestHeaders:
		return s.requestHeaders(end)
	case onRequestBody:
		return s.requestBody(size, end)
	case onRequestTrailers:
		return s.requestTrailers()
	case onResponseHeaders:
		return s.responseHeaders(end)
	case onResponseBody, onResponseTrailers:
		return s.responseBody(end)
	case onStreamDone:
		s.done()
	}
	return types.ActionPause
}

// pluginContext is a plugin to the SDK.
type pluginContext struct {
	types.DefaultPluginContext
	start     func() bool
	tick      func()
	newStream func(id uint32) types.HttpContext
	done      func() bool
}

func newPluginContext() *pluginContext {
	p := &plugin{}
	return &pluginContext{start: p.start, tick: p.tick, newStream: p.newStream, done: p.done}
}

func (c *pluginContext) OnPluginStart(int) types.OnPluginStartStatus {
	return types.OnPluginStartStatus(c.start())
}

func (c *pluginContext) OnTick() { c.tick() }

func (c *pluginContext) NewHttpContext(id uint32) types.HttpContext { return c.newStream(id) }

// OnPluginDone comes when a newer configuration serves. Streams of this one
// still run; false says that they need it still.
func (c *pluginContext) OnPluginDone() bool {
	return c.done()
}

var (
	_ types.HttpContext   = (*httpContext)(nil)
	_ types.PluginContext = (*pluginContext)(nil)
)

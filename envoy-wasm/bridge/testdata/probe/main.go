// Probe is a filter that makes every host call of the SDK, each in the call-back where Envoy allows it,
// and logs what came out. The bridge's test runs it under a host of its own; it runs in Envoy as well.
//
// The plugin's configuration is "tcp" for a network filter, and else names the cluster that the HTTP
// filter calls.
package main

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/hookward/hookward/envoy-wasm/bridge"
	_ "github.com/hookward/hookward/envoy-wasm/bridge/queue"
	_ "github.com/hookward/hookward/envoy-wasm/bridge/responsebody"
	_ "github.com/hookward/hookward/envoy-wasm/bridge/tcp"
)

func main() {}

func init() {
	proxywasm.SetVMContext(&vm{})
}

// say logs what a call gave, as Go writes it.
func say(call string, results ...any) {
	line := call + ":"
	for _, r := range results {
		if b, ok := r.([]byte); ok {
			r = string(b)
		}
		line += fmt.Sprintf(" %#v", r)
	}
	proxywasm.LogInfo(line)
}

// failure makes an error short and comparable, and no error "ok".
func failure(err error) string {
	if err == nil {
		return "ok"
	}
	return err.Error()
}

type vm struct{ types.DefaultVMContext }

func (*vm) OnVMStart(size int) types.OnVMStartStatus {
	configuration, err := proxywasm.GetVMConfiguration()
	say("OnVMStart", size, configuration, failure(err))
	return true
}

func (*vm) NewPluginContext(id uint32) types.PluginContext {
	say("NewPluginContext", id)
	return &plugin{}
}

type plugin struct {
	types.DefaultPluginContext
	cluster   string
	queue     uint32
	counter   proxywasm.MetricCounter
	gauge     proxywasm.MetricGauge
	histogram proxywasm.MetricHistogram
}

func (p *plugin) OnPluginStart(size int) types.OnPluginStartStatus {
	configuration, err := proxywasm.GetPluginConfiguration()
	say("OnPluginStart", size, configuration, failure(err))
	p.cluster = string(configuration)

	say("SetTickPeriodMilliSeconds", failure(proxywasm.SetTickPeriodMilliSeconds(200)))
	p.queue, err = proxywasm.RegisterSharedQueue("probe")
	say("RegisterSharedQueue", p.queue, failure(err))

	var random [16]byte
	say("Random", bridge.Random(random[:]), random != [16]byte{}, bridge.Random(nil))
	return err == nil
}

// defineMetrics is for the first tick, as the SDK panics where the host refuses a metric.
func (p *plugin) defineMetrics() {
	p.counter = proxywasm.DefineCounterMetric("probe_counter")
	p.gauge = proxywasm.DefineGaugeMetric("probe_gauge")
	p.histogram = proxywasm.DefineHistogramMetric("probe_histogram")
	say("Define metrics", p.counter, p.gauge, p.histogram)
	p.counter.Increment(7)
	p.gauge.Add(-3)
	p.histogram.Record(1 << 40)
	say("Metric values", p.counter.Value(), p.gauge.Value())
}

func (p *plugin) OnTick() {
	if p.histogram == 0 {
		p.defineMetrics()
		queue, err := proxywasm.ResolveSharedQueue("probe-vm", "probe")
		say("ResolveSharedQueue", queue, failure(err))
		say("EnqueueSharedQueue", failure(proxywasm.EnqueueSharedQueue(p.queue, []byte("queued"))))
	}
}

// collect makes the stack grow by depth frames, and overwrites all memory that nothing refers to: it allocates until a collection
// is due, as runtime.GC is fatal in Envoy before 1.39, and then fills what was freed.
func collect(depth int) {
	var frame [256]byte
	if depth > 0 {
		collect(depth - 1)
		runtime.KeepAlive(&frame)
		return
	}
	for range 5 {
		runtime.KeepAlive(make([]byte, 1<<20))
	}
	filling := []byte(strings.Repeat("!", 64))
	var kept [][]byte
	for i := range 2048 {
		kept = append(kept, append([]byte(nil), filling[:1+i%64]...))
	}
	runtime.KeepAlive(kept)
}

func (p *plugin) OnQueueReady(queue uint32) {
	data, err := proxywasm.DequeueSharedQueue(queue)
	say("OnQueueReady", queue, data, failure(err))
}

func (p *plugin) OnPluginDone() bool {
	say("OnPluginDone")
	proxywasm.PluginDone()
	return false
}

func (p *plugin) NewHttpContext(id uint32) types.HttpContext {
	if p.cluster == "tcp" {
		return nil
	}
	say("NewHttpContext", id)
	return &stream{plugin: p, id: id}
}

func (p *plugin) NewTcpContext(id uint32) types.TcpContext {
	say("NewTcpContext", id)
	return &connection{}
}

type stream struct {
	plugin *plugin
	id     uint32
}

func (s *stream) OnHttpRequestHeaders(count int, end bool) types.Action {
	pairs, err := proxywasm.GetHttpRequestHeaders()
	say("OnHttpRequestHeaders", count, end, pairs, failure(err))
	path, err := proxywasm.GetHttpRequestHeader(":path")
	say("GetHttpRequestHeader", path, failure(err))
	if path == "/refuse" {
		say("SendHttpResponse", failure(proxywasm.SendHttpResponse(418, [][2]string{{"x-probe", "refused"}}, []byte("no"), -1)))
		return types.ActionPause
	}
	say("RemoveHttpRequestHeader", failure(proxywasm.RemoveHttpRequestHeader("content-length")))
	say("ReplaceHttpRequestHeader", failure(proxywasm.ReplaceHttpRequestHeader("x-probe", "replaced")))
	say("AddHttpRequestHeader", failure(proxywasm.AddHttpRequestHeader("x-empty", "")))

	method, err := proxywasm.GetProperty([]string{"request", "method"})
	say("GetProperty", method, failure(err))
	say("SetProperty", failure(proxywasm.SetProperty([]string{"probe"}, []byte("kept"))))
	kept, err := proxywasm.GetProperty([]string{"probe"})
	say("GetProperty", kept, failure(err))

	packed, err := proxywasm.CallForeignFunction("compress", []byte("squeezed"))
	say("CallForeignFunction", len(packed) > 0, failure(err))
	plain, err := proxywasm.CallForeignFunction("uncompress", packed)
	say("CallForeignFunction", plain, failure(err))
	if end {
		return types.ActionContinue
	}
	return types.ActionPause
}

func (s *stream) OnHttpRequestBody(size int, end bool) types.Action {
	if !end {
		say("OnHttpRequestBody", size, end)
		return types.ActionPause
	}
	body, err := proxywasm.GetHttpRequestBody(0, size)
	say("OnHttpRequestBody", size, end, body, failure(err))

	value, cas, err := proxywasm.GetSharedData("probe")
	say("GetSharedData", value, cas, failure(err))
	say("SetSharedData", failure(proxywasm.SetSharedData("probe", []byte{byte(size)}, cas)))
	say("SetSharedData", failure(proxywasm.SetSharedData("probe", nil, 0xFFFFFFFF)))

	headers := [][2]string{{":method", "POST"}, {":path", "/call"}, {":authority", "probe"}}
	_, err = proxywasm.DispatchHttpCall(s.plugin.cluster, headers, []byte("ask"), nil, 2000, s.onAnswer)
	say("DispatchHttpCall", failure(err))
	if err != nil {
		return types.ActionContinue
	}
	return types.ActionPause
}

// onAnswer lets the paused request go, with a body and headers of its own.
func (s *stream) onAnswer(headers, size, trailers int) {
	pairs, err := proxywasm.GetHttpCallResponseHeaders()
	say("onAnswer", headers, size, trailers, pairs, failure(err))
	body, err := proxywasm.GetHttpCallResponseBody(0, size)
	say("GetHttpCallResponseBody", body, failure(err))

	own, err := proxywasm.GetHttpRequestHeaders()
	say("GetHttpRequestHeaders", len(own), failure(err))
	own = append(own, [2]string{"x-twice", "1"}, [2]string{"x-twice", "2"})
	say("ReplaceHttpRequestHeaders", failure(proxywasm.ReplaceHttpRequestHeaders(own)))
	say("ReplaceHttpRequestBody", failure(proxywasm.ReplaceHttpRequestBody([]byte("replaced"))))
	say("AppendHttpRequestBody", failure(proxywasm.AppendHttpRequestBody([]byte(" and more"))))
	say("ResumeHttpRequest", failure(proxywasm.ResumeHttpRequest()))
}

func (s *stream) OnHttpRequestTrailers(count int) types.Action {
	pairs, err := proxywasm.GetHttpRequestTrailers()
	say("OnHttpRequestTrailers", count, pairs, failure(err))
	return types.ActionContinue
}

func (s *stream) OnHttpResponseHeaders(count int, end bool) types.Action {
	status, err := proxywasm.GetHttpResponseHeader(":status")
	say("OnHttpResponseHeaders", count, end, status, failure(err))
	say("RemoveHttpResponseHeader", failure(proxywasm.RemoveHttpResponseHeader("content-length")))
	return types.ActionContinue
}

func (s *stream) OnHttpResponseBody(size int, end bool) types.Action {
	say("OnHttpResponseBody", size, end)
	if end {
		say("PrependHttpResponseBody", failure(proxywasm.PrependHttpResponseBody([]byte("probed: "))))
	}
	return types.ActionContinue
}

func (s *stream) OnHttpResponseTrailers(count int) types.Action {
	pairs, err := proxywasm.GetHttpResponseTrailers()
	say("OnHttpResponseTrailers", count, pairs, failure(err))
	collect(count)
	return types.ActionContinue
}

func (s *stream) OnHttpStreamDone() {
	say("OnHttpStreamDone")
	say("SetEffectiveContext", failure(proxywasm.SetEffectiveContext(s.id)))
}

type connection struct{}

func (*connection) OnNewConnection() types.Action {
	say("OnNewConnection")
	return types.ActionContinue
}

func (*connection) OnDownstreamData(size int, end bool) types.Action {
	data, err := proxywasm.GetDownstreamData(0, size)
	say("OnDownstreamData", size, end, data, failure(err))
	return types.ActionContinue
}

func (*connection) OnUpstreamData(size int, end bool) types.Action {
	say("OnUpstreamData", size, end)
	say("PrependUpstreamData", failure(proxywasm.PrependUpstreamData([]byte("probed: "))))
	say("CloseDownstream", failure(proxywasm.CloseDownstream()))
	return types.ActionContinue
}

func (*connection) OnDownstreamClose(peer types.PeerType) { say("OnDownstreamClose", peer) }
func (*connection) OnUpstreamClose(peer types.PeerType)   { say("OnUpstreamClose", peer) }
func (*connection) OnStreamDone()                         { say("OnStreamDone") }

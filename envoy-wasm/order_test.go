package main

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/hookward/hookward/e2e/sign"
)

// The order in which Envoy calls back, under the SDK's emulator of a host.

const orderSecret = "the-secret-of-order-tests"

const orderGates = `{"routes": [
	{"path": "/hook", "provider": "meta", "secrets": ["` + orderSecret + `"], "max_body": 2000},
	{"path": "/sms", "provider": "africastalking", "secrets": ["` + orderSecret + `"]}]}`

type emulator struct {
	*testing.T
	proxytest.HostEmulator
}

func emulate(t *testing.T, config string) *emulator {
	t.Helper()
	host, reset := proxytest.NewHostEmulator(proxytest.NewEmulatorOption().WithVMContext(&vm{}).WithPluginConfiguration([]byte(config)))
	t.Cleanup(reset)
	if host.StartVM() != types.OnVMStartStatusOK || host.StartPlugin() != types.OnPluginStartStatusOK {
		t.Fatalf("the configuration was refused: %q", host.GetErrorLogs())
	}
	e := &emulator{t, host}
	e.answersComeFrom("via_upstream")
	return e
}

// answersComeFrom sets where Envoy says that answers come from.
func (e *emulator) answersComeFrom(details string) {
	e.Helper()
	if err := e.SetProperty([]string{"response", "code_details"}, []byte(details)); err != nil {
		e.Fatal(err)
	}
}

// request is a request as it goes through the call-backs.
type request struct {
	*emulator
	id     uint32
	action types.Action
}

func (e *emulator) begin(d sign.Delivery, end bool, more ...[2]string) *request {
	e.Helper()
	fields := [][2]string{{":method", d.Method}, {":path", d.Target}, {":authority", "example.com"}, {":scheme", "https"}}
	for name, values := range d.Header {
		for _, value := range values {
			fields = append(fields, [2]string{name, value})
		}
	}
	r := &request{emulator: e, id: e.InitializeHttpContext()}
	r.action = e.CallOnRequestHeaders(r.id, append(fields, more...), end)
	return r
}

func (r *request) body(piece string, end bool) *request {
	r.action = r.CallOnRequestBody(r.id, []byte(piece), end)
	return r
}

func (r *request) trailers(pairs ...[2]string) *request {
	r.action = r.CallOnRequestTrailers(r.id, pairs)
	return r
}

// end is the backend's answer, and the end of the stream.
func (r *request) end(status int) {
	r.answered(status, true)
	r.CompleteHttpContext(r.id)
}

// answered is the header of the backend's answer, and all of it if that is its
// end.
func (r *request) answered(status int, end bool) {
	r.CallOnResponseHeaders(r.id, [][2]string{{":status", strconv.Itoa(status)}}, end)
}

// first is a field's first value; the emulator does not fold names that we set.
func first(fields [][2]string, name string) string {
	for _, f := range fields {
		if strings.EqualFold(f[0], name) {
			return f[1]
		}
	}
	return ""
}

// isHeld checks that nothing has gone to the backend, nor to the sender.
func (r *request) isHeld() {
	r.Helper()
	if r.action != types.ActionPause || r.GetCurrentHttpStreamAction(r.id) != types.ActionPause || r.GetSentLocalResponse(r.id) != nil {
		r.Fatalf("action %v, answer %+v; want the request to be held", r.action, r.GetSentLocalResponse(r.id))
	}
}

// isForwarded checks that what goes to the backend is the event, with all that
// it says of itself.
func (r *request) isForwarded() {
	r.Helper()
	body := r.GetCurrentRequestBody(r.id)
	if r.action != types.ActionContinue || r.GetSentLocalResponse(r.id) != nil {
		r.Fatalf("action %v, answer %+v; want the request to go on", r.action, r.GetSentLocalResponse(r.id))
	}
	fields := r.GetCurrentRequestHeaders(r.id)
	if first(fields, "x-hookward-assurance") == "" || first(fields, "content-length") != strconv.Itoa(len(body)) || !bytes.HasPrefix(body, []byte(`{"version":"1"`)) {
		r.Fatalf("header %v and body %s", fields, body)
	}
}

func (r *request) isRefused(status uint32, code string) {
	r.Helper()
	a := r.GetSentLocalResponse(r.id)
	if r.action != types.ActionPause || a == nil || a.StatusCode != status || !strings.Contains(string(a.Data), `"`+code+`"`) {
		r.Fatalf("action %v, answer %+v; want %d %s", r.action, a, status, code)
	}
}

// isInFlight checks that the sender was told to come again later.
func (r *request) isInFlight() {
	r.Helper()
	r.isRefused(503, "duplicate_in_flight")
}

// isDuplicate checks that the sender was told that the event is known.
func (r *request) isDuplicate() {
	r.Helper()
	a := r.GetSentLocalResponse(r.id)
	if r.action != types.ActionPause || a == nil || a.StatusCode != 200 || first(a.Headers, "x-hookward-duplicate") != "true" {
		r.Fatalf("action %v, answer %+v; want a duplicate", r.action, a)
	}
}

func genuine() sign.Delivery { return sign.New("meta", orderSecret, "", "/hook") }

func forgery() sign.Delivery {
	d := genuine()
	d.Sign("meta", "another secret", "")
	return d
}

// TestOrderPieces: nothing goes before the last piece has come, in however many
// it comes. Envoy's last call may bring nothing new.
func TestOrderPieces(t *testing.T) {
	for name, cuts := range map[string][]int{"one": {}, "two": {100}, "many": {1, 2, 3, 200, 201}, "empty ones": {0, 0, 50, 50}} {
		for _, endsApart := range []bool{false, true} {
			t.Run(name+", ends apart "+strconv.FormatBool(endsApart), func(t *testing.T) {
				e := emulate(t, orderGates)
				e.inPieces(genuine(), cuts, endsApart).isForwarded()
				e.inPieces(forgery(), cuts, endsApart).isRefused(401, "signature_mismatch")
			})
		}
	}
}

// inPieces sends a body cut at these places, and perhaps its end by itself.
func (e *emulator) inPieces(d sign.Delivery, cuts []int, endsApart bool) *request {
	e.Helper()
	r, from := e.begin(d, false), 0
	r.isHeld()
	for _, to := range cuts {
		r.body(d.Body[from:to], false).isHeld()
		from = to
	}
	if endsApart {
		r.body(d.Body[from:], false).isHeld()
		return r.body("", true)
	}
	return r.body(d.Body[from:], true)
}

// TestOrderLastCallRepeated: after the verdict the same call changes nothing.
func TestOrderLastCallRepeated(t *testing.T) {
	e := emulate(t, orderGates)
	d := genuine()
	r := e.begin(d, false).body(d.Body, true)
	r.isForwarded()
	want := string(r.GetCurrentRequestBody(r.id))
	r.body(want, true).isForwarded()
	if got := string(r.GetCurrentRequestBody(r.id)); got != want {
		t.Errorf("the body became %q, want %q", got, want)
	}
	d = forgery()
	r = e.begin(d, false).body(d.Body, true)
	r.isRefused(401, "signature_mismatch")
	for range 3 {
		r.body("", true).isRefused(401, "signature_mismatch")
		r.trailers().isRefused(401, "signature_mismatch")
	}
}

// TestOrderTrailers: a request that ends in trailers is checked there, and loses
// them all.
func TestOrderTrailers(t *testing.T) {
	e := emulate(t, orderGates)
	ours := [2]string{"x-hookward-assurance", "signature"}
	d := genuine()
	r := e.begin(d, false).body(d.Body, false)
	r.isHeld()
	r.trailers(ours, [2]string{"x-other", "a"}).isForwarded()
	d = forgery()
	r = e.begin(d, false).body(d.Body, false)
	r.isHeld()
	r.trailers(ours).isRefused(401, "signature_mismatch")
	r = e.begin(d, false)
	r.isHeld()
	r.trailers(ours).isRefused(401, "signature_mismatch")
}

// TestOrderFolded: what is removed goes in every spelling that a backend may
// take for it.
func TestOrderFolded(t *testing.T) {
	e := emulate(t, orderGates)
	d := genuine()
	override := [][2]string{{"x_http_method_override", "DELETE"}, {"x-http_method.override", "DELETE"}, {"x_original_url", "/admin"}}
	r := e.begin(d, false, append(override, [2]string{"x_kept", "a"})...).body(d.Body, true)
	r.isForwarded()
	got := header(r.GetCurrentRequestHeaders(r.id))
	for _, f := range override {
		if got.first(f[0]) != "" {
			t.Errorf("the backend gets %s", f[0])
		}
	}
	if got.first("x_kept") != "a" {
		t.Error("x_kept is gone")
	}
}

// TestOrderHeadersOnly: a request that its headers end.
func TestOrderHeadersOnly(t *testing.T) {
	e := emulate(t, orderGates)
	e.begin(sign.Delivery{Method: "GET", Target: "/hook"}, true).isRefused(403, "handshake_denied")
	e.begin(sign.Delivery{Method: "POST", Target: "/hook"}, true).isRefused(401, "signature_missing")
	e.begin(sign.Delivery{Method: "PUT", Target: "/hook"}, true).isRefused(405, "method_not_allowed")
	e.begin(genuine(), true).isRefused(401, "signature_mismatch")
	// Envoy lets no body be written where none came.
	sms := sign.Delivery{Method: "POST", Target: "/sms", Header: map[string][]string{"X-Api-Key": {orderSecret}}}
	e.begin(sms, true).isRefused(503, "host_misconfigured")
	if log := strings.Join(e.GetErrorLogs(), ""); !strings.Contains(log, "put the Lua filter of examples/envoy before this one") {
		t.Errorf("the log says %q", log)
	}
}

// TestOrderRejectedEarly: what the headers decide is answered there, and what
// comes after goes nowhere.
func TestOrderRejectedEarly(t *testing.T) {
	e := emulate(t, orderGates)
	unsigned := genuine()
	unsigned.Header.Del("X-Hub-Signature-256")
	large := [2]string{"content-length", "2001"}
	for code, r := range map[string]*request{"signature_missing": e.begin(unsigned, false), "body_too_large": e.begin(genuine(), false, large)} {
		status := r.GetSentLocalResponse(r.id).StatusCode
		r.isRefused(status, code)
		r.body("x", false).isRefused(status, code)
		r.body("x", true).isRefused(status, code)
		r.trailers().isRefused(status, code)
	}
	r := e.begin(genuine(), false).body(strings.Repeat("x", 2000), false)
	r.isHeld()
	r.body("x", false).isRefused(413, "body_too_large")
	r.body("", true).isRefused(413, "body_too_large")
}

// TestOrderUngated: elsewhere a request goes on at once, without the fields that
// only we may set.
func TestOrderUngated(t *testing.T) {
	e := emulate(t, orderGates)
	d := genuine()
	d.Target = "/other"
	r := e.begin(d, false, [2]string{"x_hookward_assurance", "signature"}, [2]string{"x-kept", "a"}, [2]string{"x-kept", "b"})
	for _, f := range r.GetCurrentRequestHeaders(r.id) {
		if isReserved(f) {
			t.Errorf("the backend gets %q", f)
		}
	}
	if kept := header(r.GetCurrentRequestHeaders(r.id)).Values("x-kept"); len(kept) != 2 {
		t.Errorf("x-kept is %q, want both", kept)
	}
	for _, action := range []types.Action{r.action, r.body(d.Body, false).action, r.body("", true).action, r.trailers([2]string{"x-hookward-version", "1"}).action} {
		if action != types.ActionContinue {
			t.Fatal("the request was held")
		}
	}
	r.end(200)
	if r = e.begin(d, true); r.action != types.ActionContinue {
		t.Error("a request without a body was held")
	}
}

// TestOrderOutcome: a delivery that comes again is forwarded, refused or known, as
// the first has ended.
func TestOrderOutcome(t *testing.T) {
	e := emulate(t, orderGates)
	for status, check := range map[int]func(*request){
		200: (*request).isDuplicate, 299: (*request).isDuplicate,
		302: (*request).isForwarded, 404: (*request).isForwarded, 500: (*request).isForwarded,
	} {
		d := genuine()
		first := e.begin(d, false).body(d.Body, true)
		first.isForwarded()
		e.begin(d, false).body(d.Body, true).isRefused(503, "duplicate_in_flight")
		first.end(status)
		check(e.begin(d, false).body(d.Body, true))
	}
}

// TestOrderOutcomeInTheBody: a success with a body is one as soon as its end is
// here, and never without it.
func TestOrderOutcomeInTheBody(t *testing.T) {
	e := emulate(t, orderGates)
	for _, c := range []struct {
		about  string
		answer func(*request)
		check  func(*request)
	}{
		{"a body", func(r *request) { r.CallOnResponseBody(r.id, []byte("ok"), true) }, (*request).isDuplicate},
		{"pieces", func(r *request) {
			r.CallOnResponseBody(r.id, []byte("o"), false)
			r.CallOnResponseBody(r.id, []byte("k"), true)
		}, (*request).isDuplicate},
		{"trailers", func(r *request) {
			r.CallOnResponseBody(r.id, []byte("ok"), false)
			r.CallOnResponseTrailers(r.id, [][2]string{{"x", "y"}})
		}, (*request).isDuplicate},
		{"half a body", func(r *request) { r.CallOnResponseBody(r.id, []byte("o"), false) }, (*request).isInFlight},
		{"no body", func(*request) {}, (*request).isInFlight},
	} {
		d := genuine()
		first := e.deliver(d)
		first.answered(200, false)
		e.deliver(d).isInFlight()
		c.answer(first)
		c.check(e.deliver(d))
		e.CompleteHttpContext(first.id)
		c.check(e.deliver(d))
		if t.Failed() {
			t.Fatalf("after %s", c.about)
		}
	}
}

// TestOrderOutcomeInTheHeader: what an answer's header decides is settled there,
// before the sender can see it; the stream's end changes nothing about that.
func TestOrderOutcomeInTheHeader(t *testing.T) {
	e := emulate(t, orderGates)
	for _, end := range []bool{true, false} {
		for _, status := range []int{199, 200, 204, 299, 300, 302, 404, 500, 503} {
			d := genuine()
			first := e.deliver(d)
			first.isForwarded()
			first.answered(status, end)
			again, third := (*request).isForwarded, (*request).isInFlight
			switch {
			case status < 200 || status < 300 && !end:
				again, third = (*request).isInFlight, (*request).isInFlight
			case status < 300:
				again, third = (*request).isDuplicate, (*request).isDuplicate
			}
			again(e.deliver(d))
			e.CompleteHttpContext(first.id)
			third(e.deliver(d))
		}
	}
	e.Tick()
	for class, want := range map[string]uint64{"2xx": 6, "3xx": 4, "4xx": 2, "5xx": 4} {
		if n, _ := e.GetCounterMetric("hookward_backend_responses_total;name=meta;class=" + class); n != want {
			t.Errorf("%d answers were %s, want %d", n, class, want)
		}
	}
}

// TestOrderSettledOnce: what has been settled is not settled otherwise, whatever
// comes after it.
func TestOrderSettledOnce(t *testing.T) {
	e := emulate(t, orderGates)
	for _, after := range []func(*request){
		func(r *request) { r.answered(500, true) },
		func(r *request) { r.answered(200, false) },
		func(r *request) { r.CallOnResponseBody(r.id, nil, true) },
		func(r *request) { r.CallOnResponseHeaders(r.id, nil, true) }, // no status: we answer
	} {
		d := genuine()
		first := e.deliver(d)
		first.answered(204, true)
		after(first)
		e.CompleteHttpContext(first.id)
		e.deliver(d).isDuplicate()

		d = genuine()
		first = e.deliver(d)
		first.answered(500, false)
		after(first)
		e.CompleteHttpContext(first.id)
		e.deliver(d).isForwarded()
	}
}

func (e *emulator) deliver(d sign.Delivery) *request {
	e.Helper()
	return e.begin(d, false).body(d.Body, true)
}

func (e *emulator) setNumber(n uint64, path ...string) {
	e.Helper()
	if err := e.SetProperty(path, binary.LittleEndian.AppendUint64(nil, n)); err != nil {
		e.Fatal(err)
	}
}

// TestOrderDoneEarly: a sender that leaves before the verdict leaves nothing
// behind, neither a claim nor a number.
func TestOrderDoneEarly(t *testing.T) {
	e := emulate(t, orderGates)
	d := genuine()
	e.CompleteHttpContext(e.InitializeHttpContext()) // before its headers
	for _, leave := range []func() *request{
		func() *request { return e.begin(d, false) },
		func() *request { return e.begin(d, false).body(d.Body[:100], false) },
		func() *request { return e.begin(d, false).body(d.Body, false) },
	} {
		r := leave()
		r.isHeld()
		e.CompleteHttpContext(r.id)
	}
	e.Tick()
	if n, _ := e.GetGaugeMetric("hookward_in_flight;name=meta"); n != 0 {
		t.Errorf("%d requests are in flight, want 0", n)
	}
	e.begin(d, false).body(d.Body, true).isForwarded()
}

// TestOrderFlagMissing: a request that grows while no call-back comes is
// answered from a tick; one that does not grow is left in peace.
func TestOrderFlagMissing(t *testing.T) {
	e := emulate(t, orderGates)
	e.setNumber(100, "request", "total_size")
	r := e.begin(genuine(), false)
	e.Tick()
	r.isHeld()
	e.setNumber(101, "request", "total_size")
	for deadline := time.Now().Add(time.Minute); r.GetSentLocalResponse(r.id) == nil && time.Now().Before(deadline); {
		e.Tick()
	}
	r.isRefused(503, "host_misconfigured")
	if log := strings.Join(e.GetErrorLogs(), ""); !strings.Contains(log, "set allow_on_headers_stop_iteration: true") {
		t.Errorf("the log says %q", log)
	}
	r.body("late", true).isRefused(503, "host_misconfigured")
}

// TestOrderFlagProved: after the first body no tick suspects a request.
func TestOrderFlagProved(t *testing.T) {
	e := emulate(t, orderGates)
	e.setNumber(100, "request", "total_size")
	slow, d := e.begin(genuine(), false), genuine()
	e.begin(d, false).body(d.Body, true).isForwarded()
	e.setNumber(200, "request", "total_size")
	e.Tick()
	slow.isHeld()
}

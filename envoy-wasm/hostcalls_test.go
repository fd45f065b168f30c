package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/e2e/sign"
)

// TestHostCallsFail lets every single call to the host fail in turn, by itself
// and with all that follow, from the request's first call-back to the stream's
// end and the tick after it. Whichever it is, a forgery reaches no backend, a
// genuine request reaches it whole or not at all, the machine lives, and the next
// delivery is served.
func TestHostCallsFail(t *testing.T) {
	h := newModule(t)
	for _, f := range []faults{{}, {forGood: true}} {
		for _, end := range []string{"body", "trailers"} {
			for _, d := range []sign.Delivery{genuine(), forgery()} {
				failed := map[string]int{}
				for f.failing = 1; ; f.failing++ {
					name := h.withFault(t, f, end, d)
					if name == "" {
						break
					}
					failed[name]++
				}
				if len(failed) < 8 {
					t.Errorf("only these calls failed: %v", failed)
				}
			}
		}
	}
}

// TestDoneAsksNothing: the end of a stream costs no call to the host, since the
// answer has settled all.
func TestDoneAsksNothing(t *testing.T) {
	h := newModule(t)
	h.startPlugin(t, orderGates)
	for i, answer := range []struct {
		status       int
		header, body uint64 // whether it ends with that
	}{{200, 1, 0}, {200, 0, 1}, {200, 0, 0}, {500, 1, 0}, {500, 0, 0}} {
		id := h.plugin + 1 + uint64(i)
		if h.begin(id, "body", genuine()).Forward == nil {
			t.Fatal("a new delivery is not taken")
		}
		h.status = answer.status
		h.call("proxy_on_response_headers", id, 1, answer.header)
		if answer.header == 0 {
			h.call("proxy_on_response_body", id, 1, answer.body)
		}
		before := h.faults.calls
		h.finish(id)
		if n := h.faults.calls - before; n > 0 {
			t.Errorf("after an answer %+v the stream's end made %d calls", answer, n)
		}
	}
}

// faults say which calls to the host fail.
type faults struct {
	calls   int    // so far
	failing int    // the number of the one that fails, 0 if none does
	alike   bool   // all of its name after it fail, too
	forGood bool   // all after it fail, too
	failed  string // its name
}

func (f *faults) fails(name string) bool {
	f.calls++
	switch {
	case f.calls == f.failing:
		f.failed = name
		return true
	default:
		return f.failed != "" && (f.forGood || f.alike && name == f.failed)
	}
}

func (f faults) String() string {
	return fmt.Sprintf("call %d (%s; all alike %v, all %v) fails", f.failing, f.failed, f.alike, f.forGood)
}

// statusInternalFailure is what Envoy answers when a call has failed.
const statusInternalFailure = 10

// withFault sends one delivery while calls to the host fail, and then another
// while none does. It returns the first that failed, or "" if there were fewer.
func (h *module) withFault(t *testing.T, f faults, end string, d sign.Delivery) string {
	h.startPlugin(t, orderGates)
	h.faults = f
	got := h.deliver(h.plugin+1, end, d)
	h.call("proxy_on_tick", h.plugin)
	f, h.faults = h.faults, faults{}
	what := f.String() + ", " + end
	h.checkFaulty(t, what, f, d, got)
	if next := h.deliver(h.plugin+2, end, genuine()); next.Forward == nil {
		t.Errorf("%s: the next delivery is answered %+v", what, next.Answer)
	}
	return f.failed
}

// startPlugin starts a plugin with a configuration of its own, and empty data.
func (h *module) startPlugin(t *testing.T, config string) {
	h.t = t
	h.plugin += 10
	h.config, h.shared, h.now = []byte(config), map[string]sharedValue{}, time.Now()
	h.ticked = h.now
	h.call("proxy_on_context_create", h.plugin, 0)
	if h.call("proxy_on_configure", h.plugin, uint64(len(h.config))) == 0 {
		t.Fatal("the configuration was refused")
	}
}

// deliver takes a delivery through all call-backs.
func (h *module) deliver(id uint64, end string, d sign.Delivery) cases.Want {
	w := h.begin(id, end, d)
	if end == "trailers" { // the answer is like the request
		h.call("proxy_on_response_headers", id, 1, 0)
		h.call("proxy_on_response_body", id, 2, 0)
		h.call("proxy_on_response_trailers", id, 1)
	} else {
		h.call("proxy_on_response_headers", id, 1, 1)
	}
	h.finish(id)
	return w
}

// finish ends a stream.
func (h *module) finish(id uint64) {
	h.call("proxy_on_done", id)
	h.call("proxy_on_log", id)
	h.call("proxy_on_delete", id)
}

// goesOn is what a call-back says to let a request go on.
const goesOn = 0

// arrive sends a delivery, without the answers to the calls that it makes.
func (h *module) arrive(id uint64, end string, d sign.Delivery) (action uint32) {
	h.body, h.answer, h.status, h.resumed, h.claimed = []byte(d.Body), nil, 0, false, false
	h.trailers = header{{"x-hookward-assurance", "signature"}, {"x-other", "1"}}
	h.fields = header{{":method", d.Method}, {":path", d.Target}, {":authority", "example.com"}, {"x-hookward-forged", "1"}}
	for name, values := range d.Header {
		h.fields = append(h.fields, [2]string{strings.ToLower(name), values[0]})
	}
	h.call("proxy_on_context_create", id, h.plugin)
	action = h.call("proxy_on_request_headers", id, uint64(len(h.fields)), 0)
	last := uint64(1)
	if end == "trailers" {
		last = 0
	}
	if action != goesOn && h.answer == nil {
		action = h.call("proxy_on_request_body", id, uint64(len(h.body)), last)
	}
	if end == "trailers" && h.answer == nil {
		action = h.call("proxy_on_request_trailers", id, uint64(len(h.trailers)))
	}
	return action
}

// begin takes a delivery to the backend, or to where it is answered.
func (h *module) begin(id uint64, end string, d sign.Delivery) (w cases.Want) {
	action := h.arrive(id, end, d)
	h.answerCalls()
	if w.Answer = h.answer; (action == goesOn || h.resumed) && w.Answer == nil {
		w.Forward = &cases.Forward{Header: map[string][]string{}}
		for _, f := range h.fields {
			w.Forward.Header[strings.ToLower(f[0])] = append(w.Forward.Header[f[0]], f[1])
		}
		w.Forward.SetBytes(h.body)
		h.status = 200
		if end == "trailers" && len(h.trailers) > 0 {
			w.Forward.Header["trailers"] = []string{fmt.Sprint(h.trailers)}
		}
	}
	return w
}

// checkFaulty checks what became of a request of which a call failed.
func (h *module) checkFaulty(t *testing.T, what string, faulty faults, d sign.Delivery, got cases.Want) {
	t.Helper()
	f := got.Forward
	switch {
	case h.resumed && !h.claimed:
		t.Errorf("%s: the request was resumed without a claim", what)
	case f == nil && got.Answer == nil && faulty.failed != "proxy_send_local_response" && !faulty.forGood:
		t.Errorf("%s: no answer", what)
	case f == nil:
	case d.Header.Get("X-Hub-Signature-256") != genuineSignature(d):
		t.Errorf("%s: a forgery went on with %v", what, f.Header)
	case f.Header["x-hookward-forged"] != nil || f.Header["trailers"] != nil || f.Header["x-hookward-assurance"] == nil:
		t.Errorf("%s: a request went on with %v", what, f.Header)
	case f.Header["content-length"][0] != strconv.Itoa(len(h.body)) || !json.Valid(h.body) || !strings.HasPrefix(string(h.body), `{"version":"1"`):
		t.Errorf("%s: a request went on with %v and %s", what, f.Header, h.body)
	}
}

// genuineSignature is what the provider would have signed the delivery with.
func genuineSignature(d sign.Delivery) string {
	d.Header = d.Header.Clone()
	d.Sign("meta", orderSecret, "")
	return d.Header.Get("X-Hub-Signature-256")
}

package main

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"
)

// httpGates keep their claims for 10 seconds, in a Redis over HTTP, in the form of
// Upstash, which is the easier one to read.
var httpGates = strings.TrimSuffix(strings.Replace(orderGates, `"/hook",`, `"/hook", "replay": {"lease": "10s"},`, 1), "}") +
	`, "replay": {"store": {"module": "http", "cluster": "redis", "api": "upstash", "token": "t"}}}`

// TestHostCallsFailWhileAsking is TestHostCallsFail with a store over HTTP: calls,
// or all of one name, fail before a claim is sent, while it is on its way, when its answer comes and
// when it is settled. Nothing goes on that is not claimed, no request is left
// without an answer, and no claim outlives its lease.
func TestHostCallsFailWhileAsking(t *testing.T) {
	h := newModule(t)
	for _, f := range []faults{{}, {alike: true}, {forGood: true}} {
		failed := map[string]bool{}
		for f.failing = 1; ; f.failing++ {
			name := h.withFaultWhileAsking(t, f, "body")
			if name == "" {
				break
			}
			failed[name] = true
		}
		for _, name := range []string{"proxy_http_call", "proxy_get_header_map_pairs", "proxy_get_buffer_bytes", "proxy_set_buffer_bytes", "proxy_continue_stream"} {
			if !failed[name] {
				t.Errorf("%s never failed, only %v", name, failed)
			}
		}
	}
	for f := (faults{failing: 1}); h.withFaultWhileAsking(t, f, "trailers") != ""; f.failing++ {
	}
}

// TestKnownWhileHostCallsFail: what the store knows never goes on, whichever call
// keeps its answer from us.
func TestKnownWhileHostCallsFail(t *testing.T) {
	h := newModule(t)
	for _, f := range []faults{{}, {alike: true}} {
		for f.failing = 1; ; f.failing++ {
			h.startPlugin(t, httpGates)
			h.calls.redis = fakeRedis{}
			d := genuine()
			if h.deliver(h.plugin+1, "body", d).Forward == nil {
				t.Fatal("a new delivery is not taken")
			}
			h.pass(time.Second)
			h.faults = f
			got := h.deliver(h.plugin+2, "body", d)
			failed := h.faults
			if h.faults = (faults{}); failed.failed == "" {
				break
			}
			if got.Forward != nil {
				t.Errorf("%v: what is known went on", failed)
			}
		}
	}
}

// TestAnsweredWhileAsking: a request that Envoy answers while its claim is on its way
// leaves none behind, though the server may read the claim only after a release.
func TestAnsweredWhileAsking(t *testing.T) {
	h := newModule(t)
	h.startPlugin(t, httpGates)
	h.calls.redis = fakeRedis{}
	if h.arrive(h.plugin+1, "body", genuine()) == goesOn || len(h.calls.sent) != 1 {
		t.Fatal("a new delivery is not claimed")
	}
	late := maps.Clone(h.calls.redis)
	clear(h.calls.redis)
	h.calls.sent, h.status = nil, 504
	h.call("proxy_on_response_headers", h.plugin+1, 1, 0)
	h.finish(h.plugin + 1)
	h.pass(20 * time.Millisecond)
	maps.Copy(h.calls.redis, late)
	if h.calls.redis.pending(h.now) != 1 {
		t.Fatal("the server has no claim")
	}
	h.pass(5 * time.Second)
	if n := h.calls.redis.pending(h.now); n > 0 {
		t.Errorf("%d claims are still pending", n)
	}
}

// withFaultWhileAsking sends one delivery while calls to the host fail, and lets
// time pass while none does. It returns the first that failed.
func (h *module) withFaultWhileAsking(t *testing.T, f faults, end string) string {
	h.startPlugin(t, httpGates)
	h.calls.redis = fakeRedis{}
	d := genuine()
	h.faults = f
	got := h.deliver(h.plugin+1, end, d)
	h.pass(time.Second)
	f, h.faults = h.faults, faults{}
	what := f.String() + ", " + end
	if h.checkFaulty(t, what, f, d, got); got.Forward != nil && !h.resumed {
		t.Errorf("%s: a delivery went on without the store's answer", what)
	}
	enough := 5 * time.Second
	if f.forGood || f.failed == "proxy_get_header_map_value" || f.failed == "proxy_get_property" {
		enough = 11 * time.Second // nobody knows what the backend answered: the lease decides
	}
	h.pass(enough)
	if n := h.calls.redis.pending(h.now); n > 0 {
		t.Errorf("%s: %d claims are still pending", what, n)
	}
	return f.failed
}

// httpCall is a call of the module's that is on its way. The server has carried
// it out.
type httpCall struct {
	id     uint32
	answer string
}

// httpCalls is the host's end of proxy_http_call.
type httpCalls struct {
	redis fakeRedis
	sent  []httpCall
	last  uint32
	body  string // of the answer that is being given
}

func (c *httpCalls) send(body string, now time.Time) (id uint32) {
	c.last++
	c.sent = append(c.sent, httpCall{c.last, c.redis.eval(body, now)})
	return c.last
}

// answerCalls gives the answers to all calls, and to those that they lead to.
func (h *module) answerCalls() {
	for len(h.calls.sent) > 0 {
		c := h.calls.sent[0]
		h.calls.sent, h.calls.body = h.calls.sent[1:], c.answer
		h.call("proxy_on_http_call_response", h.plugin, uint64(c.id), 1, uint64(len(c.answer)), 0)
	}
}

// fakeRedis does what the store's two scripts do.
type fakeRedis map[string]claimed

type claimed struct {
	value string
	until time.Time
}

func (r fakeRedis) get(key string, now time.Time) string {
	if v := r[key]; now.Before(v.until) {
		return v.value
	}
	return ""
}

func (r fakeRedis) pending(now time.Time) (n int) {
	for key := range r {
		if strings.HasPrefix(r.get(key, now), "p") {
			n++
		}
	}
	return n
}

// eval carries out a command: EVAL, a script, the number of keys, the keys, and
// the script's arguments, of which a claim has two, and settlements three a key
// and the name of the call.
func (r fakeRedis) eval(body string, now time.Time) string {
	var words []string
	if err := json.Unmarshal([]byte(body), &words); err != nil {
		return `{"error":"no command"}`
	}
	n, _ := strconv.Atoi(words[2])
	keys, args := words[3:3+n], words[3+n:]
	in := func(ms string) time.Time {
		n, _ := strconv.Atoi(ms)
		return now.Add(time.Duration(n) * time.Millisecond)
	}
	answer := args[len(args)-1]
	if len(args) == 2 {
		answer = args[0]
		for _, key := range keys {
			switch v := r.get(key, now); v {
			case "", args[0]:
				r[key] = claimed{args[0], in(args[1])}
				answer += "c"
			default:
				answer += v[:1]
			}
		}
	} else {
		for i, key := range keys {
			r.settle(key, args[3*i], args[3*i+1], in(args[3*i+2]), now)
		}
	}
	return `{"result":"` + answer + `"}`
}

func (r fakeRedis) settle(key, op, mine string, until, now time.Time) {
	switch v := r.get(key, now); {
	case v != mine && (v != "" || op != "c"):
	case op == "c":
		r[key] = claimed{"d", until}
	case op == "r":
		delete(r, key)
	default:
		r[key] = claimed{v, until}
	}
}

package core_test

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/hookward/hookward/core"
)

// A host that goes on after a verdict, or that leaves a step out, forwards
// nothing: the signature is good in all of these.
func TestStepsOutOfOrderRefuse(t *testing.T) {
	body := []byte(benchBody)
	head := core.Head{
		Method: "POST", Target: "/", Client: netip.MustParseAddr("192.0.2.1"),
		Header: benchHeader(body), ContentLength: int64(len(body)),
	}
	good := `{"provider":"meta","secrets":["` + benchSecret + `"]}`
	whole := func(c *core.Check) *core.Verdict { return c.Body(body, core.BodyComplete) }
	claimed := func(c *core.Check) *core.Verdict { return c.Claimed([]core.State{core.Claimed}) }
	for _, c := range []struct {
		about  string
		config string
		change func(*core.Head)
		steps  []func(*core.Check) *core.Verdict
		want   core.Code
	}{
		{"the body after a denied client", `{"provider":"meta","secrets":["` + benchSecret + `"],"allow_ips":["192.0.2.2"]}`, nil, steps(whole), core.SignatureMismatch},
		{"the body after a wrong method", good, func(h *core.Head) { h.Method = "PUT" }, steps(whole), core.SignatureMismatch},
		{"the body after a handshake", good, func(h *core.Head) { h.Method = "GET" }, steps(whole), core.SignatureMismatch},
		{"the body after too long a body", `{"provider":"meta","secrets":["` + benchSecret + `"],"max_body":1}`, nil, steps(whole), core.BodyTooLarge},
		{"claims before the body", good, nil, steps(claimed), core.HostMisconfigured},
		{"claims after a broken body", good, nil, steps(func(c *core.Check) *core.Verdict { return c.Body(body, core.BodyBroken) }, claimed), core.HostMisconfigured},
		{"another body after the body", good, nil, steps(whole, func(c *core.Check) *core.Verdict { return c.Body([]byte("{}"), core.BodyComplete) }), core.SignatureMismatch},
		{"claims twice", good, nil, steps(whole, claimed, claimed), core.HostMisconfigured},
		{"no answer of the store", good, nil, steps(whole, func(c *core.Check) *core.Verdict { return c.Claimed(nil) }), core.ReplayStoreUnavailable},
		{"an answer that is none", good, nil, steps(whole, func(c *core.Check) *core.Verdict { return c.Claimed([]core.State{99}) }), core.ReplayStoreUnavailable},
	} {
		h := head
		if c.change != nil {
			c.change(&h)
		}
		check, v := mustLoad(t, c.config).Begin(noon, h)
		for _, step := range c.steps {
			check.Keys()
			v = step(check)
		}
		if v == nil || v.Kind != core.Refuse || v.Code != c.want {
			t.Errorf("%s: %+v, want %s", c.about, v, c.want)
		}
	}
}

// A check that has its verdict has nothing to do with the memory that it gave
// back, and which the next check works with.
func TestAnEndedCheckTouchesNoOther(t *testing.T) {
	gate := mustLoad(t, `{"provider":"meta","secrets":["`+benchSecret+`"]}`)
	begin := func(body []byte) *core.Check {
		check, v := gate.Begin(noon, core.Head{
			Method: "POST", Target: "/", Client: netip.MustParseAddr("192.0.2.1"), Header: benchHeader(body), ContentLength: -1,
		})
		if v != nil {
			t.Fatalf("the head alone: %+v", v)
		}
		return check
	}
	one, other := []byte(benchBody), []byte(strings.Replace(benchBody, "another color", "another size", 1))
	for range 100 {
		ended := begin(one)
		ended.Body(one, core.BodyBroken)
		check := begin(other)
		if v := ended.Body(one, core.BodyComplete); v == nil || v.Kind != core.Refuse {
			t.Fatalf("the ended check takes a body: %+v", v)
		}
		if v := check.Body(other, core.BodyComplete); v != nil {
			t.Fatalf("the other's body: %+v", v)
		}
		if v := ended.Claimed([]core.State{core.Claimed}); v == nil || v.Kind != core.Refuse || ended.Keys() != nil {
			t.Fatalf("the ended check forwards, or has keys: %+v", v)
		}
		v := check.Claimed([]core.State{core.Claimed})
		if v.Kind != core.Forward || !strings.Contains(string(v.Body), "another size") {
			t.Fatalf("the other: %+v", v)
		}
	}
}

func steps(s ...func(*core.Check) *core.Verdict) []func(*core.Check) *core.Verdict { return s }

// What the head announces is turned away before the body is read.
func TestBeginLooksAtTheBodysHead(t *testing.T) {
	gate := mustLoad(t, `{"provider":"meta","secrets":["`+benchSecret+`"],"max_body":"1KiB"}`)
	for _, c := range []struct {
		about   string
		length  int64
		codings []string
		want    core.Code
	}{
		{"the largest body", 1024, nil, ""},
		{"a byte more", 1025, nil, core.BodyTooLarge},
		{"a body of unknown length", -1, nil, ""},
		{"no coding, said so", 9, []string{"identity"}, ""},
		{"no coding, in capitals", 9, []string{"Identity"}, ""},
		{"an empty coding", 9, []string{""}, ""},
		{"gzip", 9, []string{"gzip"}, core.ContentEncodingUnsupported},
		{"gzip after identity", 9, []string{"identity", "gzip"}, core.ContentEncodingUnsupported},
		{"a list of codings", 9, []string{"identity, gzip"}, core.ContentEncodingUnsupported},
	} {
		header := benchHeader([]byte(benchBody))
		header["Content-Encoding"] = c.codings
		_, v := gate.Begin(noon, core.Head{
			Method: "POST", Target: "/", Client: netip.MustParseAddr("192.0.2.1"), Header: header, ContentLength: c.length,
		})
		switch {
		case v == nil && c.want != "":
			t.Errorf("%s: let through", c.about)
		case v != nil && v.Code != c.want:
			t.Errorf("%s: %s, want %q", c.about, v.Code, c.want)
		}
	}
}

// However long a body was announced to be, no more than max_body is taken.
func TestBodyLooksAtItsLength(t *testing.T) {
	body := []byte(benchBody)
	for _, c := range []struct {
		most int
		end  core.BodyEnd
		want core.Code
	}{
		{len(body), core.BodyComplete, ""},
		{len(body) - 1, core.BodyComplete, core.BodyTooLarge},
		{len(body), core.BodyOverLimit, core.BodyTooLarge},
		{len(body), core.BodyBroken, core.BodyIncomplete},
		{len(body), 0, core.BodyIncomplete},
		{len(body), 99, core.BodyIncomplete},
	} {
		gate := mustLoad(t, `{"provider":"meta","secrets":["`+benchSecret+`"],"max_body":`+strconv.Itoa(c.most)+`}`)
		check, v := gate.Begin(noon, core.Head{
			Method: "POST", Target: "/", Client: netip.MustParseAddr("192.0.2.1"), Header: benchHeader(body), ContentLength: -1,
		})
		if v == nil {
			v = check.Body(body, c.end)
		}
		if (v == nil) != (c.want == "") || v != nil && v.Code != c.want {
			t.Errorf("at most %d bytes, end %d: %+v, want %q", c.most, c.end, v, c.want)
		}
	}
}

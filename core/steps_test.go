package core_test

import (
	"net/netip"
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

func steps(s ...func(*core.Check) *core.Verdict) []func(*core.Check) *core.Verdict { return s }

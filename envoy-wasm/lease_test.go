package main

import (
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/e2e/sign"
)

// ticks come as often as the module has asked, by the host's clock.
type ticks struct {
	every  time.Duration
	ticked time.Time
}

// pass lets time pass, and ticks come.
func (h *module) pass(d time.Duration) {
	end := h.now.Add(d)
	for next := h.ticked.Add(h.every); !next.After(end); next = h.ticked.Add(h.every) {
		h.now, h.ticked = next, next
		h.call("proxy_on_tick", h.plugin)
		h.answerCalls()
	}
	h.now = end
}

// TestLeaseIsRenewed: while the backend works deliveries stay claimed, however
// short the lease is, whenever between two ticks they have begun.
func TestLeaseIsRenewed(t *testing.T) {
	h := newModule(t)
	h.plugin = 1
	h.config = []byte(strings.Replace(orderGates, `"provider"`, `"replay": {"lease": "1s"}, "provider"`, 1))
	h.call("proxy_on_context_create", h.plugin, 0)
	if h.call("proxy_on_configure", h.plugin, uint64(len(h.config))) == 0 {
		t.Fatal("the configuration was refused")
	}
	h.deliver(2, "body", genuine())
	h.pass(time.Minute) // ticks are slow from here on
	var working [5]sign.Delivery
	for i := range working {
		working[i] = genuine()
		if got := h.begin(uint64(10+i), "body", working[i]); got.Forward == nil {
			t.Fatalf("a new delivery is answered %+v", got.Answer)
		}
		h.pass(170 * time.Millisecond)
	}
	for id := range uint64(100) {
		h.pass(110 * time.Millisecond)
		d := working[id%uint64(len(working))]
		got := h.deliver(1000+id, "body", d)
		if got.Answer == nil || !strings.Contains(string(got.Answer.Body), "duplicate_in_flight") {
			t.Fatalf("sent again while the backend works: %+v %+v", got.Answer, got.Forward)
		}
	}
}

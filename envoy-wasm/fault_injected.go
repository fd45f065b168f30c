//go:build faults

package main

import (
	"sync"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
)

// injected is what a stream remembers of its fault.
type injected struct{ fault string }

// fault panics once in the call-back that the request's header X-Fault names, or
// ends the machine in it. A module built with the tag faults is for tests alone.
func fault(c callback, s *stream) {
	if c == onRequestHeaders {
		s.fault, _ = proxywasm.GetHttpRequestHeader("x-fault")
		if s.fault == "tick" {
			tickFault = s.plugin
		}
	}
	if s.fault == "dies in "+callbackNames[c] {
		new(sync.Mutex).Unlock() // which nothing recovers
	}
	if s.fault == callbackNames[c] {
		s.fault = "done"
		panic("injected into " + callbackNames[c])
	}
}

// tickFault is whose next tick is to panic.
var tickFault *plugin

func faultInTick(p *plugin) {
	if tickFault == p {
		tickFault = nil
		panic("injected into a tick")
	}
}

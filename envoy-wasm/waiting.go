package main

import (
	"encoding/binary"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/hookward/hookward/envoy-wasm/bridge"
)

// waiting finds out whether Envoy feeds us bodies while we hold a request. It
// does so only with allow_on_headers_stop_iteration, which nothing shows; a
// request would stall without it until the idle time-out. So, until the first
// body has come, the ticks look at the requests that we hold: one whose size
// grows while no call-back comes is the proof that the flag is missing.
type waiting struct {
	feeds   bool // proved: nothing to look at any more
	missing bool // said in the log
	streams map[*stream]struct{}
}

// watched is what is known of a request that waits.
type watched struct {
	size uint64
}

func (w *waiting) add(s *stream) {
	if w.feeds {
		return
	}
	if w.streams == nil {
		w.streams = map[*stream]struct{}{}
	}
	s.watched.size, _ = totalSize()
	w.streams[s] = struct{}{}
}

func (w *waiting) drop(s *stream) {
	if len(w.streams) > 0 {
		delete(w.streams, s)
	}
}

func (w *waiting) proved() {
	w.feeds, w.streams = true, nil
}

// look is true once there is nothing more to look for.
func (w *waiting) look() bool {
	for s := range w.streams {
		w.lookAt(s)
	}
	return w.feeds
}

func (w *waiting) lookAt(s *stream) {
	if err := proxywasm.SetEffectiveContext(s.id); err != nil {
		w.drop(s)
		return
	}
	size, ok := totalSize()
	if !ok || size <= s.watched.size {
		return
	}
	what := "a request stalls: set allow_on_headers_stop_iteration: true beside the filter's configuration"
	if w.missing {
		what = "a request stalls"
	}
	w.missing = true
	action := types.ActionPause
	defer s.guard(onRequestHeaders, &action)
	s.fail(what, nil)
}

// totalSize is how much of the request has reached Envoy.
func totalSize() (uint64, bool) {
	value, ok := bridge.Property("request\x00total_size")
	if !ok || len(value) != 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(value), true
}

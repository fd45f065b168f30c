package hookward

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookward/hookward/core"
)

// watcher sees what a backend's answer comes to and settles the claims by it:
// as soon as that is known, and so before the sender can see the answer's end,
// since a sender may send the same event again at once. It buffers nothing.
type watcher struct {
	caddyhttp.ResponseWriterWrapper
	// ctx is the backend's, which ends early only when nobody waits any more.
	ctx      context.Context
	delivery *delivery

	status   int
	left     int64  // bytes of the answer that are still to come, -1 if unknown
	gone     bool   // the sender has left, or reads nothing any more
	onGone   func() // bounds what the backend may still do, once
	hijacked bool
}

// conclude settles by what has been seen. What came after the backend's context
// had ended says nothing of what it did.
func (w *watcher) conclude(whole bool) {
	s := core.Settle(w.status, whole)
	if w.hijacked || w.ctx.Err() != nil {
		s = core.LeaveToLease
	}
	w.delivery.settle(s)
}

// WriteHeader notes the final status; 1xx are none. An answer without a body,
// and any that is no success, is known by now.
func (w *watcher) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status, w.left = status, announcedLength(w.Header(), status)
		if w.left == 0 || status > 299 {
			w.conclude(true)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// announcedLength is the length of an answer's body, -1 if it is not said.
func announcedLength(h http.Header, status int) int64 {
	if status == http.StatusNoContent {
		return 0
	}
	n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// Write never fails: after the sender has left, the backend's answer is read to
// its end all the same, since it tells whether the backend took the event.
func (w *watcher) Write(p []byte) (int, error) {
	w.begin()
	if w.left > 0 {
		if w.left = max(w.left-int64(len(p)), 0); w.left == 0 {
			w.conclude(true)
		}
	}
	if !w.gone {
		_, err := w.ResponseWriter.Write(p)
		if w.gone = err != nil; w.gone {
			w.onGone()
		}
	}
	return len(p), nil
}

// ReadFrom goes through Write, whatever the writer below could do better.
func (w *watcher) ReadFrom(src io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{w}, src)
}

// FlushError fails only where flushing is not supported.
func (w *watcher) FlushError() error {
	w.begin()
	if w.gone {
		return nil
	}
	err := http.NewResponseController(w.ResponseWriter).Flush()
	if err == nil || errors.Is(err, http.ErrNotSupported) {
		return err
	}
	w.gone = true
	w.onGone()
	return nil
}

// begin is the 200 that net/http writes where no status was written.
func (w *watcher) begin() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
}

// Hijack gives the connection away, and with it any knowledge of the outcome.
func (w *watcher) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.hijacked = err == nil
	return conn, rw, err
}

var _ http.Hijacker = (*watcher)(nil)

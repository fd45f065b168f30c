package hookward

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookward/hookward/core"
)

// forward passes the request on as the verdict says, watches the answer, and
// settles the claims by it.
func (d *delivery) forward(w http.ResponseWriter, next caddyhttp.Handler) (err error) {
	r, cancel := d.detach(d.rewrite())
	defer cancel()
	watched := &watcher{ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: w}}
	returned := false
	defer func() {
		if !returned { // a panic passes through; http.ErrAbortHandler is the broken half of an answer
			d.finish(watched, core.Settle(watched.status, false))
		}
	}()
	err = next.ServeHTTP(watched, r)
	returned = true
	switch {
	case err != nil:
		d.finish(watched, core.ReleaseClaims)
		return err
	case watched.hijacked:
		d.finish(watched, core.LeaveToLease)
	case watched.status == 0:
		// Nothing was written: net/http would make it an empty 200, and the
		// sender would take the event for delivered.
		d.finish(watched, core.ReleaseClaims)
		d.gate.log.Error("no handler answered behind the gate: put a reverse_proxy into its block", d.fields()...)
		w.WriteHeader(http.StatusBadGateway)
	default:
		d.finish(watched, core.Settle(watched.status, true))
	}
	return nil
}

func (d *delivery) finish(watched *watcher, s core.Settlement) {
	d.settle(s)
	d.gate.metrics.backend(watched.status)
}

// rewrite changes the request as the verdict says: body and Content-Length
// together or not at all.
func (d *delivery) rewrite() *http.Request {
	r, v := d.r, d.verdict
	for _, name := range v.Remove {
		r.Header.Del(name)
	}
	for _, f := range v.Set {
		r.Header[http.CanonicalHeaderKey(f.Name)] = []string{f.Value}
	}
	if v.Method != "" {
		r.Method = v.Method
	}
	if v.Target != "" {
		r.RequestURI = v.Target
		_, r.URL.RawQuery, _ = strings.Cut(v.Target, "?")
	}
	body := d.received
	if v.Rewrite {
		body = v.Body
	}
	d.setBody(body)
	return r
}

// setBody gives the request a body that can be sent again: Go's transport
// repeats a POST on a connection that turned out dead only if it can.
func (d *delivery) setBody(body []byte) {
	r := d.r
	if !d.verdict.Rewrite && d.verdict.Outcome == core.WouldReject {
		// Only some of it may have been read; the rest follows, or its error.
		r.Body = joinedBody{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
		return
	}
	r.Trailer, r.TransferEncoding = nil, nil
	r.ContentLength = int64(len(body))
	r.Header.Del("Content-Length")
	if len(body) == 0 {
		r.Body, r.GetBody = http.NoBody, nil
		return
	}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body, _ = r.GetBody()
}

// joinedBody is the part of a body that was read and the rest of it.
type joinedBody struct {
	io.Reader
	io.Closer
}

// detach lets the backend's work go on when the sender has left, so that the
// backend's outcome decides and not the sender's patience; but not for longer
// than a lease.
func (d *delivery) detach(r *http.Request) (*http.Request, context.CancelFunc) {
	sender := r.Context()
	ctx, cancel := context.WithCancel(context.WithoutCancel(sender))
	lease := d.gate.gate.Replay().Lease
	stop := context.AfterFunc(sender, func() {
		timer := time.AfterFunc(lease, cancel)
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	return r.WithContext(ctx), func() { stop(); cancel() }
}

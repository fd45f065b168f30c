package hookward

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

// forward passes the request on as the verdict says, watches the answer, and
// settles the claims by it.
func (d *delivery) forward(w http.ResponseWriter, next caddyhttp.Handler) error {
	d.keepHeld()
	d.rewrite()
	r, stop := d.detach()
	defer stop()
	watched := &d.watcher
	watched.ResponseWriter, watched.ctx, watched.delivery = w, r.Context(), d
	whole := false
	defer func() {
		// A panic passes through; http.ErrAbortHandler is the broken half of an
		// answer.
		watched.conclude(whole)
		d.gate.metrics.backend(watched.status)
	}()
	if err := next.ServeHTTP(watched, r); err != nil {
		// Routes that handle errors are outside the gate.
		stripReserved(d.r)
		if watched.status >= 200 && watched.status <= 299 && !watched.hijacked {
			// A handler behind the gate made a success of an error all the same
			// (log_append of {http.response.body} does): the sender must not take
			// the event for delivered.
			d.gate.log.Error("error behind the gate after a success was written", append(d.fields(), zap.Error(err))...)
			panic(http.ErrAbortHandler)
		}
		return d.handOver(w, err)
	}
	whole = true
	if watched.status == 0 && !watched.hijacked {
		// net/http would make it an empty 200, and the sender would take the
		// event for delivered.
		d.gate.log.Error("no handler answered behind the gate: put a reverse_proxy into its block", d.fields()...)
		w.WriteHeader(http.StatusBadGateway)
	}
	return nil
}

// handOver leaves an error to Caddy's error routes. Where there are none the
// answer is written here: Caddy would log the error together with the request as
// it came, and with it a token, which is the secret itself; and a handler before
// the gate may make an empty 200 of an error (log_append of {http.response.body}).
func (d *delivery) handOver(w http.ResponseWriter, err error) error {
	server, ok := d.r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	routed := ok && server.Errors != nil && len(server.Errors.Routes) > 0
	if routed {
		return err
	}
	status := http.StatusInternalServerError
	if handlerErr := (caddyhttp.HandlerError{}); errors.As(err, &handlerErr) && handlerErr.StatusCode != 0 {
		status = handlerErr.StatusCode
	}
	d.gate.log.Error("error behind the gate", append(d.fields(), zap.Int("status", status), zap.Error(err))...)
	w.WriteHeader(status)
	return nil
}

// rewrite changes the request as the verdict says.
func (d *delivery) rewrite() {
	r, v := d.r, d.verdict
	for _, name := range v.Remove {
		delete(r.Header, name)
	}
	if v.Target != "" {
		for name, all := range r.Header {
			if slices.ContainsFunc(all, v.Hides) {
				delete(r.Header, name)
			}
		}
	}
	values := make([]string, len(v.Set))
	for i, f := range v.Set {
		values[i] = f.Value
		r.Header[f.Name] = values[i : i+1 : i+1]
	}
	if v.Method != "" {
		r.Method = v.Method
	}
	switch {
	case v.Rewrite:
		d.setBody(v.Body)
	case d.whole:
		d.setBody(d.received)
	case len(d.received) > 0:
		// Only some of it was read; the rest follows, or its error.
		r.Body = joinedBody{io.MultiReader(bytes.NewReader(d.received), r.Body), r.Body}
	}
	if v.Target != "" {
		d.setTarget(v.Target)
	}
}

// setBody gives the request a body, with its length, that can be sent again:
// Go's transport repeats a POST on a connection that turned out dead only if it
// can.
func (d *delivery) setBody(body []byte) {
	r := d.r
	r.Trailer, r.TransferEncoding = nil, nil
	r.ContentLength = int64(len(body))
	if len(body) == 0 {
		r.Body, r.GetBody = http.NoBody, nil
		r.Header.Del("Content-Length")
		return
	}
	r.Header["Content-Length"] = []string{strconv.Itoa(len(body))}
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	d.body.Reset(body)
	r.Body = io.NopCloser(&d.body)
}

// setTarget changes the query to the verdict's, which holds no secret any more:
// in the request, whose path a handler before us may have rewritten, and in
// what Caddy remembers of the original, which FastCGI backends, placeholders and
// the routes for errors are told: so this request changes, and no copy.
func (d *delivery) setTarget(target string) {
	r := d.r
	_, query, has := strings.Cut(target, "?")
	original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	if rewritten := ok && original.URL.RawQuery != r.URL.RawQuery; rewritten {
		query = d.gate.gate.WithoutToken(r.URL.RawQuery)
		has = query != ""
	}
	r.URL.RawQuery = query
	r.RequestURI, _, _ = strings.Cut(r.RequestURI, "?")
	if has {
		r.RequestURI += "?" + query
	}
	if !ok {
		return
	}
	u := *original.URL
	_, u.RawQuery, _ = strings.Cut(target, "?")
	original.URL, original.RequestURI = &u, target
	*r = *r.WithContext(context.WithValue(r.Context(), caddyhttp.OriginalRequestCtxKey, original))
}

// joinedBody is the part of a body that was read and the rest of it.
type joinedBody struct {
	io.Reader
	io.Closer
}

// detach lets the backend's work go on when the sender has left, so that the
// backend's outcome decides and not the sender's patience; but not for longer
// than a lease. Caddy's placeholders stay with the request as it is here, whose
// body {http.request.body} reads: the two have a reader each.
func (d *delivery) detach() (*http.Request, context.CancelFunc) {
	sender := d.r.Context()
	ctx, cancel := context.WithCancel(context.WithoutCancel(sender))
	lease := d.gate.gate.Replay().Lease
	d.watcher.onGone = sync.OnceFunc(func() {
		timer := time.AfterFunc(lease, cancel)
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	stop := context.AfterFunc(sender, d.watcher.onGone)
	r := d.r.WithContext(ctx)
	if d.r.GetBody != nil {
		d.r.Body, _ = d.r.GetBody()
	}
	return r, func() { stop(); cancel() }
}

package hookward

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
)

// forward passes the request on as the verdict says, watches the answer, and
// settles the claims by it.
func (d *delivery) forward(w http.ResponseWriter, next caddyhttp.Handler) error {
	d.keepHeld()
	r, stop := d.detach(d.rewrite())
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

// handOver leaves an error to Caddy's error routes. Where there are none Caddy
// would log it together with the request as it came, and with it a token, which
// is the secret itself: the answer is then written here.
func (d *delivery) handOver(w http.ResponseWriter, err error) error {
	server, ok := d.r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	routed := ok && server.Errors != nil && len(server.Errors.Routes) > 0
	if d.verdict.Assurance != "token" || routed {
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
func (d *delivery) rewrite() *http.Request {
	r, v := d.r, d.verdict
	for _, name := range v.Remove {
		delete(r.Header, name)
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
		return d.setTarget(v.Target)
	}
	return r
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
// what Caddy remembers of the original, which FastCGI backends are told.
func (d *delivery) setTarget(target string) *http.Request {
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
		return r
	}
	u := *original.URL
	_, u.RawQuery, _ = strings.Cut(target, "?")
	original.URL, original.RequestURI = &u, target
	return r.WithContext(context.WithValue(r.Context(), caddyhttp.OriginalRequestCtxKey, original))
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

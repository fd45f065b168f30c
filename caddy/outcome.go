package hookward

import (
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// watcher sees the status of an answer and whether its sender is still there.
// It buffers nothing.
type watcher struct {
	*caddyhttp.ResponseWriterWrapper
	status   int
	gone     bool
	hijacked bool
}

// WriteHeader notes the final status; 1xx are none.
func (w *watcher) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write never fails: after the sender has left, the backend's answer is read to
// its end all the same, since it tells whether the backend took the event.
func (w *watcher) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if !w.gone {
		if _, err := w.ResponseWriter.Write(p); err != nil {
			w.gone = true
		}
	}
	return len(p), nil
}

// ReadFrom tells a source that breaks off, which is the backend's outcome, from
// a sender that has left.
func (w *watcher) ReadFrom(src io.Reader) (int64, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	source := &errorNoter{Reader: src}
	n, err := w.ResponseWriterWrapper.ReadFrom(source)
	if err == nil || source.err != nil {
		return n, err
	}
	w.gone = true
	rest, err := io.Copy(io.Discard, src)
	return n + rest, err
}

// errorNoter remembers that its reader failed.
type errorNoter struct {
	io.Reader
	err error
}

func (n *errorNoter) Read(p []byte) (int, error) {
	read, err := n.Reader.Read(p)
	if err != nil && err != io.EOF {
		n.err = err
	}
	return read, err
}

package cases

import (
	"net/textproto"
	"regexp"
	"slices"
	"strings"
)

// ofTheHost are fields that a host sets by itself, in an answer or in a
// forwarded request, and that are no part of what the cases hold.
var ofTheHost = []string{
	"Server", "Date", "Content-Length", "Connection", "Via", "Accept-Encoding", "Transfer-Encoding",
	"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Request-Id", "X-Envoy-Expected-Rq-Timeout-Ms",
}

// setByHost says that a field, whose name is in its canonical spelling, is the
// host's own.
func setByHost(name string) bool { return name[0] == ':' || slices.Contains(ofTheHost, name) }

var instance = regexp.MustCompile(`"instance":"urn:uuid:[0-9a-f-]{36}"`)

// Comparable is w without what depends on chance and on the host: the instance
// of an answer, the spelling of names, and the fields that hosts set.
func (w Want) Comparable() Want {
	if w.Answer != nil {
		a := Answer{Status: w.Answer.Status, Body: instance.ReplaceAllString(w.Answer.Body, `"instance":""`), Header: map[string]string{}}
		for name, value := range w.Answer.Header {
			if name = textproto.CanonicalMIMEHeaderKey(name); !setByHost(name) {
				a.Header[name] = value
			}
		}
		w.Answer = &a
	}
	if w.Forward != nil {
		f := *w.Forward
		f.Header = map[string][]string{}
		for name, values := range w.Forward.Header {
			if name = textproto.CanonicalMIMEHeaderKey(name); !setByHost(name) {
				f.Header[name] = append(f.Header[name], values...)
			}
		}
		w.Forward = &f
	}
	return w
}

var (
	receivedAt = regexp.MustCompile(`"receivedAt":"[^"]*"`)
	gatewayAt  = regexp.MustCompile(`"timestamp":"[^"]*","timestampSource":"gateway"`)
	unclaimed  = regexp.MustCompile(`"id":"([^"]*):\d{13}"`)
	signed     = []string{"Webhook-Timestamp", "Webhook-Signature"}
)

// WithoutClock is a comparable w without what depends on the time of receipt,
// which is a real clock's in a real host.
func (w Want) WithoutClock() Want {
	if w.Forward == nil {
		return w
	}
	f := *w.Forward
	body := receivedAt.ReplaceAllString(string(f.Bytes()), `"receivedAt":""`)
	body = gatewayAt.ReplaceAllString(body, `"timestamp":"","timestampSource":"gateway"`)
	f.SetBytes([]byte(unclaimed.ReplaceAllString(body, `"id":"$1:"`)))
	f.Header = map[string][]string{}
	for name, values := range w.Forward.Header {
		if slices.Contains(signed, name) {
			values = []string{"(by the clock)"}
		}
		f.Header[name] = values
	}
	w.Forward = &f
	return w
}

// Renamed is a comparable w as it would be if the endpoint called from were
// called to.
func (w Want) Renamed(from, to string) Want {
	if w.Forward == nil {
		return w
	}
	f := *w.Forward
	f.SetBytes([]byte(strings.ReplaceAll(string(f.Bytes()), `"endpoint":"`+from+`"`, `"endpoint":"`+to+`"`)))
	f.Header = map[string][]string{}
	for name, values := range w.Forward.Header {
		if name == "X-Hookward-Endpoint" && slices.Equal(values, []string{from}) {
			values = []string{to}
		}
		f.Header[name] = values
	}
	w.Forward = &f
	return w
}

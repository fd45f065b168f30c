package core

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hookward/hookward/core/internal/jsondoc"
)

// Field is one header field.
type Field struct {
	Name, Value string
}

// Kind is what a host has to do. The zero Kind refuses.
type Kind uint8

// The kinds of verdicts.
const (
	// Refuse: answer with Status, Header and Body; the request was rejected. A
	// zero Verdict, which has no Status, is a 503.
	Refuse Kind = iota
	// Answer: answer with Status, Header and Body; nothing was wrong.
	Answer
	// Forward: pass the request on as changed.
	Forward
)

// Outcome is the word for a verdict in metrics and logs.
type Outcome string

// The outcomes.
const (
	Accepted    Outcome = "accepted"
	Rejected    Outcome = "rejected"
	WouldReject Outcome = "would_reject"
	Duplicate   Outcome = "duplicate"
	Shaken      Outcome = "handshake"
	Filtered    Outcome = "filtered"
	Empty       Outcome = "empty"
)

// Verdict is what a gate says of a request. A host carries it out whole or
// answers Misconfigured. Its memory is the host's to keep.
type Verdict struct {
	Kind    Kind
	Outcome Outcome
	// Code is why the request was or would have been rejected, else "".
	Code Code

	// Status, Header and Body are the answer of a Refuse or an Answer.
	Status int
	Header []Field
	Body   []byte

	// Method and Target (path and query) are what the forwarded request gets;
	// empty leaves them as they are.
	Method, Target string
	// Rewrite says that Body replaces the forwarded body, together with its
	// Content-Length. Without it the body is forwarded as it was received.
	Rewrite bool
	// Remove are the names of the header fields that go, and Set those that
	// are set after that, all in the canonical form of net/http. Besides, the
	// host removes whatever Reserved names.
	Remove []string
	Set    []Field
	// hide is the query parameter that holds a secret, else "".
	hide string

	// Hold are the claims that the backend's outcome settles, and Free those to
	// release at once, before the answer. Nil where there are none.
	Hold, Free []Key

	// What logs and metrics may know.

	// Delivery is the deliveryId, once the request is authentic.
	Delivery string
	// Assurance is signature, token or none.
	Assurance string
	// Types are the types of the events that are forwarded.
	Types []string
	// Secret is the index of the secret that matched, -1 for none.
	Secret int
	// Tried is what a rejected request was held against: facts about it for the
	// operator's log, never a secret.
	Tried []Field
	// Unchecked says that the store gave no answer and the events were
	// forwarded all the same.
	Unchecked bool
}

// Hides says of a field's value that the field goes, too: it has the query
// parameter that holds a secret, as a proxy's copy of the target does.
func (v *Verdict) Hides(value string) bool {
	return v.hide != "" && strings.Contains(value, v.hide)
}

// reject is the answer for a code. The instance is the correlation id under
// which the host logs the request.
func reject(code Code, instance string) *Verdict {
	r, known := rejections[code]
	if !known {
		code, r = HostMisconfigured, rejections[HostMisconfigured]
	}
	v := &Verdict{
		Kind: Refuse, Outcome: Rejected, Code: code, Status: r.status, Secret: -1,
		Header: []Field{
			{"Content-Type", "application/problem+json"},
			{"Cache-Control", "no-store"},
			{"X-Content-Type-Options", "nosniff"},
		},
	}
	if r.status == 401 {
		v.Header = append(v.Header, Field{"WWW-Authenticate", "Webhook"})
	}
	if r.retryAfter > 0 {
		v.Header = append(v.Header, Field{"Retry-After", strconv.Itoa(r.retryAfter)})
	}
	b := append([]byte(nil), `{"type":`...)
	b = jsondoc.AppendString(b, problemBase+string(code))
	b = append(b, `,"title":`...)
	b = jsondoc.AppendString(b, r.title)
	b = append(b, `,"status":`...)
	b = strconv.AppendInt(b, int64(r.status), 10)
	b = append(b, `,"detail":`...)
	b = jsondoc.AppendString(b, r.detail)
	b = append(b, `,"instance":`...)
	b = jsondoc.AppendString(b, instance)
	b = append(b, `,"code":`...)
	b = jsondoc.AppendString(b, string(code))
	v.Body = append(b, '}', '\n')
	return v
}

// Misconfigured is the verdict of a host that finds it can't carry one out:
// 503 host_misconfigured.
func Misconfigured(instance string) *Verdict { return reject(HostMisconfigured, instance) }

// NoRoute is the answer of a host that passes nothing on but what stands at a
// gate.
func NoRoute() *Verdict { return &Verdict{Kind: Answer, Status: 404, Secret: -1} }

// setHeader replaces a field of the answer, or adds it.
func (v *Verdict) setHeader(name, value string) {
	for i := range v.Header {
		if v.Header[i].Name == name {
			v.Header[i].Value = value
			return
		}
	}
	v.Header = append(v.Header, Field{name, value})
}

// retryAfter rounds a wait up to whole seconds, from 1 to 30.
func retryAfter(wait time.Duration) string {
	seconds := int64((wait + time.Second - 1) / time.Second)
	return strconv.FormatInt(min(max(seconds, 1), 30), 10)
}

// LogTypes are the types as a log may hold them: each once, no longer than a
// header field's value, and 16 at most.
func (v *Verdict) LogTypes() (types []string) {
	const most = 16
	for _, t := range v.Types {
		if len(types) == most {
			break
		}
		if t = safeFieldValue(t); !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	return types
}

// EventWord is the type of the one event that is forwarded, "batch" for
// several, and "" for none.
func (v *Verdict) EventWord() string {
	switch len(v.Types) {
	case 0:
		return ""
	case 1:
		return safeFieldValue(v.Types[0])
	default:
		return "batch"
	}
}

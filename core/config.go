package core

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hookward/hookward/core/internal/jsondoc"
)

// Config is one gate's configuration, the same on both hosts: as people write
// it, before New has looked at what it means. In JSON the keys are those in
// the field tags; in a Caddyfile they are sub-directives of these names, save
// that Secrets is "secret".
type Config struct {
	// Provider is who sends: a name of provider.All.
	Provider string `json:"provider,omitempty"`
	// Name is the endpoint's name in events, logs and metrics, and the scope of
	// its claims. Default: the provider's name.
	Name string `json:"name,omitempty"`
	// Secrets are 1 to 4 signing secrets or tokens, any of which may match: to
	// rotate, add the new one, then remove the old one.
	Secrets []string `json:"secrets,omitempty"`
	// VerifyToken are up to 4 tokens for a handshake that wants one (Meta's);
	// without one every such handshake is denied.
	VerifyToken []string `json:"verify_token,omitempty"`
	// PublicURL is scheme, host and port that the provider was given, and the
	// path prefix that a proxy before this one strips. Default: the request's
	// own, where the host knows it.
	PublicURL string `json:"public_url,omitempty"`
	// Output is what the backend receives: "unified" (default) or "original".
	Output string `json:"output,omitempty"`
	// Events are the event types that are forwarded, such as "message.*"; the
	// others are acknowledged. Default: all.
	Events []string `json:"events,omitempty"`
	// MaxBody is the largest body that is read, such as "1MiB". Default: the
	// provider's.
	MaxBody string `json:"max_body,omitempty"`
	// AllowIPs are the clients that may send: addresses, CIDRs, or
	// "private_ranges". Default: any.
	AllowIPs []string `json:"allow_ips,omitempty"`
	// RateLimit is "<n>/s" and optionally a burst, for each client address.
	// Default: none.
	RateLimit string `json:"rate_limit,omitempty"`
	// MaxAge is how old a signed event may be, or "off". Default: the window
	// for providers whose events carry a signed time, else off.
	MaxAge string `json:"max_age,omitempty"`
	// SignWith are 1 or 2 Standard Webhooks secrets ("whsec_…") with which the
	// forwarded request is signed. Default: it isn't.
	SignWith []string `json:"sign_with,omitempty"`
	// ReportOnly lets every request pass and says what would have been
	// rejected.
	ReportOnly bool `json:"report_only,omitempty"`
	// Replay is the replay protection.
	Replay *ReplayConfig `json:"replay,omitempty"`
}

// ReplayConfig is how duplicates are kept out. In JSON it is an object, or the
// string "off".
type ReplayConfig struct {
	// Off lets duplicates through.
	Off bool `json:"-"`
	// Window is how long a delivered event is remembered. Default: the
	// provider's.
	Window string `json:"window,omitempty"`
	// Lease is how long an event stays claimed while the backend works on it.
	// Default: 60s.
	Lease string `json:"lease,omitempty"`
	// OnError is what happens while the store can't answer: "reject" (503, so
	// that the provider sends it again) or "accept". Default: reject where the
	// provider retries, else accept.
	OnError string `json:"on_error,omitempty"`
	// Store is the host's store, in JSON, as the host reads it.
	Store string `json:"-"`
}

// ParseConfig reads a gate's configuration from JSON. An unknown key, a value
// of the wrong kind and a repeated key are errors; all of them are told at
// once.
func ParseConfig(data []byte) (Config, error) {
	if !utf8.Valid(data) {
		return Config{}, errors.New("reading configuration: it is not UTF-8")
	}
	var doc jsondoc.Doc
	if err := doc.Parse(string(data)); err != nil {
		return Config{}, errors.New("reading configuration: " + err.Error())
	}
	var (
		c Config
		p problems
	)
	readObject(&p, "", doc.Root(), func(key string, v jsondoc.Value) bool {
		return c.set(&p, "", key, v)
	}, configKeys)
	return c, p.err()
}

var configKeys = []string{
	"provider", "name", "secrets", "verify_token", "public_url", "output", "events", "max_body",
	"allow_ips", "rate_limit", "max_age", "sign_with", "report_only", "replay",
}

// set reads one key of a gate that stands at place.
func (c *Config) set(p *problems, place, key string, v jsondoc.Value) bool {
	switch key {
	case "provider":
		readText(p, place+key, v, &c.Provider)
	case "name":
		readText(p, place+key, v, &c.Name)
	case "secrets":
		readList(p, place+key, v, &c.Secrets)
	case "verify_token":
		readList(p, place+key, v, &c.VerifyToken)
	case "public_url":
		readText(p, place+key, v, &c.PublicURL)
	case "output":
		readText(p, place+key, v, &c.Output)
	case "events":
		readList(p, place+key, v, &c.Events)
	case "max_body":
		readSize(p, place+key, v, &c.MaxBody)
	case "allow_ips":
		readList(p, place+key, v, &c.AllowIPs)
	case "rate_limit":
		readText(p, place+key, v, &c.RateLimit)
	case "max_age":
		readText(p, place+key, v, &c.MaxAge)
	case "sign_with":
		readList(p, place+key, v, &c.SignWith)
	case "report_only":
		readFlag(p, place+key, v, &c.ReportOnly)
	case "replay":
		c.Replay = readReplay(p, place+key, v)
	default:
		return false
	}
	return true
}

func readReplay(p *problems, place string, v jsondoc.Value) *ReplayConfig {
	r := &ReplayConfig{}
	switch v.Kind() {
	case jsondoc.Object:
	case jsondoc.String:
		if r.Off = v.Text() == "off"; !r.Off {
			p.add(place, `unknown word %q (known: "off", or an object)`, v.Text())
		}
		return r
	default:
		p.add(place, `must be an object or "off", not %s`, kindWord(v))
		return r
	}
	place += "."
	readObject(p, place, v, func(key string, v jsondoc.Value) bool {
		switch key {
		case "window":
			readText(p, place+key, v, &r.Window)
		case "lease":
			readText(p, place+key, v, &r.Lease)
		case "on_error":
			readText(p, place+key, v, &r.OnError)
		case "store":
			readStore(p, place+key, v, &r.Store)
		default:
			return false
		}
		return true
	}, []string{"window", "lease", "on_error", "store"})
	return r
}

// problems gathers what is wrong with a configuration, each with its place.
type problems []error

// Not inlined: it is called in so many places that hookward.wasm would grow.
//
//go:noinline
func (p *problems) add(place, format string, args ...any) {
	*p = append(*p, errors.New(place+": "+say(format, args...)))
}

func (p problems) err() error { return errors.Join(p...) }

// readObject hands every member to set, which says whether it knows the key.
func readObject(p *problems, place string, v jsondoc.Value, set func(key string, v jsondoc.Value) bool, known []string) {
	if v.Kind() != jsondoc.Object {
		p.add(strings.TrimSuffix("configuration."+place, "."), "must be an object, not %s", kindWord(v))
		return
	}
	var seen []string
	for m := v.First(); m.Exists(); m = m.Next() {
		key := m.Name()
		if slices.Contains(seen, key) {
			p.add(place+key, "stands twice: remove one")
		}
		seen = append(seen, key)
		if !set(key, m) {
			p.add(place+key, "unknown key (known: %s)", strings.Join(known, ", "))
		}
	}
}

// readStore keeps a store's configuration as it is, for the host to read.
func readStore(p *problems, place string, v jsondoc.Value, to *string) {
	if v.Kind() != jsondoc.Object {
		p.add(place, "must be an object, not %s", kindWord(v))
	}
	*to = v.Raw()
}

func readText(p *problems, place string, v jsondoc.Value, to *string) {
	if v.Kind() != jsondoc.String {
		p.add(place, "must be a string, not %s", kindWord(v))
		return
	}
	*to = v.Text()
}

// readSize takes a number of bytes, too.
func readSize(p *problems, place string, v jsondoc.Value, to *string) {
	if v.Kind() != jsondoc.String && v.Kind() != jsondoc.Number {
		p.add(place, "must be a size such as \"1MiB\" or a number of bytes, not %s", kindWord(v))
		return
	}
	*to = v.Text()
}

func readFlag(p *problems, place string, v jsondoc.Value, to *bool) {
	if v.Kind() != jsondoc.Bool {
		p.add(place, "must be true or false, not %s", kindWord(v))
		return
	}
	*to = v.True()
}

func readList(p *problems, place string, v jsondoc.Value, to *[]string) {
	if v.Kind() != jsondoc.Array {
		p.add(place, "must be a list of strings, not %s", kindWord(v))
		return
	}
	*to = []string{} // an empty list is not an absent one
	i := 0
	for e := v.First(); e.Exists(); e = e.Next() {
		var s string
		readText(p, say("%s[%d]", place, i), e, &s)
		*to = append(*to, s)
		i++
	}
}

func kindWord(v jsondoc.Value) string {
	switch v.Kind() {
	case jsondoc.Null:
		return "null"
	case jsondoc.Bool:
		return "true or false"
	case jsondoc.Number:
		return "a number"
	case jsondoc.String:
		return "a string"
	case jsondoc.Array:
		return "a list"
	case jsondoc.Object:
		return "an object"
	default:
		return "nothing"
	}
}

package core

import (
	"slices"
	"strings"
	"time"

	"github.com/hookward/hookward/core/internal/jsondoc"
)

// HTTPStore is the configuration of Envoy's store "http", Redis over HTTP:
//
//	{"module": "http", "cluster": "<Envoy cluster>", "api": "webdis" | "upstash",
//	 "token": "{env.REDIS_TOKEN}", "timeout": "50ms", "prefix": "hookward:"}
type HTTPStore struct {
	// Cluster is the cluster of Envoy's that leads to the server. Its name is
	// sent as the Host, too: where the server looks at that, name the cluster
	// like the server.
	Cluster string
	// API is the form in which commands are written, "webdis" by default.
	API string
	// Token is sent with every call: a bearer token to Upstash, which wants one;
	// user:password to a webdis that has http_basic_auth. {env.NAME} is replaced.
	Token string
	// Timeout is how long a call waits for its answer, from 1ms to 30s. Default: 50ms.
	Timeout time.Duration
	// Prefix stands before each key. Default: "hookward:", as with Caddy's redis.
	Prefix string
	// Literal says that the token stands in the configuration itself.
	Literal bool
}

const (
	webdis  = "webdis"
	upstash = "upstash"

	defaultStoreTimeout = 50 * time.Millisecond
	longestStoreTimeout = 30 * time.Second
	defaultStorePrefix  = "hookward:"
)

// StoreModule is the module that a store's configuration names; "shared" is the
// default.
func StoreModule(config string) string {
	if config == "" {
		return "shared"
	}
	var doc jsondoc.Doc
	if doc.Parse(strings.ToValidUTF8(config, "\uFFFD")) != nil {
		return ""
	}
	for m := doc.Root().First(); m.Exists(); m = m.Next() {
		if m.Name() == "module" && m.Kind() == jsondoc.String {
			return m.Text()
		}
	}
	return ""
}

// ParseHTTPStore reads the configuration of a store that stands at place, and
// replaces placeholders as get knows the environment. All that is wrong is told
// at once.
func ParseHTTPStore(place, config string, get func(name string) (string, bool)) (HTTPStore, error) {
	s := HTTPStore{API: webdis, Timeout: defaultStoreTimeout, Prefix: defaultStorePrefix}
	var doc jsondoc.Doc
	if err := doc.Parse(strings.ToValidUTF8(config, "\uFFFD")); err != nil {
		return s, err
	}
	var p problems
	module, token, timeout := "", "", s.Timeout.String()
	texts := map[string]*string{
		"module": &module, "cluster": &s.Cluster, "api": &s.API,
		"token": &token, "timeout": &timeout, "prefix": &s.Prefix,
	}
	readObject(&p, place+".", doc.Root(), func(key string, v jsondoc.Value) bool {
		to := texts[key]
		if to != nil {
			readText(&p, place+"."+key, v, to)
		}
		return to != nil
	}, []string{"module", "cluster", "api", "token", "timeout", "prefix"})
	if module != "http" {
		p.add(place+".module", "unknown store %q (known: http, shared)", module)
	}
	s.Timeout = readDuration(&p, place+".timeout", timeout, time.Millisecond, longestStoreTimeout)
	s.checkNames(&p, place)
	s.setToken(&p, place+".token", token, get)
	return s, p.err()
}

func (s *HTTPStore) checkNames(p *problems, place string) {
	if s.Cluster == "" {
		p.add(place+".cluster", "is missing: name the cluster of Envoy that leads to the server")
	}
	if s.API != webdis && s.API != upstash {
		p.add(place+".api", "unknown form %q (known: %s, %s)", s.API, webdis, upstash)
	}
	for _, name := range []struct{ key, value string }{{"cluster", s.Cluster}, {"prefix", s.Prefix}} {
		if slices.ContainsFunc([]byte(name.value), notPrintable) || len(name.value) > longestName {
			p.add(place+"."+name.key, "%q: up to %d printable ASCII characters without a space are wanted", name.value, longestName)
		}
	}
}

// setToken quotes nothing of the token.
func (s *HTTPStore) setToken(p *problems, place, token string, get func(name string) (string, bool)) {
	before := len(*p)
	s.Token = strings.TrimRight(resolve(p, place, token, get), "\r\n")
	s.Literal = token != "" && !strings.Contains(token, "{")
	switch {
	case len(*p) > before:
	case token != "" && s.Token == "":
		p.add(place, "is empty: set the variable that it is read from")
	case s.API == upstash && token == "":
		p.add(place, "is missing: %s answers nobody without its token", upstash)
	case slices.ContainsFunc([]byte(s.Token), notPrintable):
		p.add(place, "has a space, or a character that cannot stand in a header field")
	case s.API == webdis && token != "" && !strings.Contains(s.Token, ":"):
		p.add(place, "must be user:password, as in the http_basic_auth of %s", webdis)
	}
}

func notPrintable(c byte) bool { return c <= ' ' || c > '~' }

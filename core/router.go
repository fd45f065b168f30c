package core

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hookward/hookward/core/hex"
)

// Router finds the gate at which a request stands. It never changes.
type Router struct {
	gates    []*Gate
	exact    map[string]int
	prefixes []prefix // the longest first
	rejects  bool
}

type prefix struct {
	path  string
	route int
}

// NewRouter makes the gates of all routes, whose placeholders have been
// replaced. It finds every mistake at once.
func NewRouter(c Routes) (*Router, error) {
	var p problems
	r := &Router{exact: map[string]int{}, rejects: c.Unmatched == "reject"}
	if len(c.Routes) == 0 {
		p.add("routes", "is empty: name at least one path and its provider")
	}
	if c.Unmatched != "" && c.Unmatched != "pass" && c.Unmatched != "reject" {
		p.add("unmatched", "unknown word %q (known: pass, reject)", c.Unmatched)
	}
	for i, route := range c.Routes {
		gate, err := New(route.Config)
		p.addAll(routePlace(i), err)
		r.gates = append(r.gates, gate)
		r.addPath(&p, i, route.Path)
	}
	checkNames(&p, c.Routes)
	if err := p.err(); err != nil {
		return nil, err
	}
	return r, nil
}

// Gates are the gates of all routes, in the order of the configuration.
func (r *Router) Gates() []*Gate { return r.gates }

// Rejects says that a request which no route takes is not passed on.
func (r *Router) Rejects() bool { return r.rejects }

func (r *Router) addPath(p *problems, route int, path string) {
	place := routePlace(route) + "path"
	pattern, isPrefix := strings.CutSuffix(path, "*")
	switch {
	case path == "":
		p.add(place, `is missing: write one as "/hooks/meta", or a prefix as "/hooks/meta/*"`)
		return
	case path[0] != '/', strings.ContainsAny(pattern, "*?#"):
		p.add(place, `%q: a path begins with /, and only its end may be * (no query, no fragment)`, path)
		return
	}
	pattern = cleanPath(pattern)
	if isPrefix {
		if !r.addPrefix(prefix{pattern, route}) {
			p.add(place, "%q stands at another route already: a path has one gate", path)
		}
		return
	}
	if _, taken := r.exact[pattern]; taken {
		p.add(place, "%q stands at another route already: a path has one gate", path)
	}
	r.exact[pattern] = route
}

// addPrefix puts a prefix behind all that are longer; it is false if the prefix
// is there already.
func (r *Router) addPrefix(new prefix) bool {
	at := 0
	for i, old := range r.prefixes {
		if old.path == new.path {
			return false
		}
		if len(old.path) >= len(new.path) {
			at = i + 1
		}
	}
	r.prefixes = append(r.prefixes, prefix{})
	copy(r.prefixes[at+1:], r.prefixes[at:])
	r.prefixes[at] = new
	return true
}

// checkNames refuses one name for different gates: else one's secret would open
// the other, and one's claims would swallow the other's events.
func checkNames(p *problems, routes []Route) {
	first := map[string]int{}
	for i, route := range routes {
		name := cmp.Or(route.Name, route.Provider)
		j, taken := first[name]
		if name == "" || !taken {
			first[name] = i
			continue
		}
		if other := routes[j]; other.Provider != route.Provider || !slices.Equal(other.Secrets, route.Secrets) {
			p.add(routePlace(i)+"name", "routes[%d] is named %q, too, and has another provider or other secrets: give each its own name", j, name)
		}
	}
}

// Match is the index of the route that takes a request target, -1 if none does:
// the exact path before a prefix, a longer prefix before a shorter one.
func (r *Router) Match(target string) int {
	path := target
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	path = cleanPath(path)
	if route, ok := r.exact[path]; ok {
		return route
	}
	for _, prefix := range r.prefixes {
		if strings.HasPrefix(path, prefix.path) {
			return prefix.route
		}
	}
	return -1
}

// cleanPath brings all spellings that a backend may take for one path into one:
// percent-encoding decoded, slashes merged, dot segments removed, case folded. A
// slash at the end stays.
func cleanPath(path string) string {
	if isClean(path) {
		return path
	}
	return removeDots(strings.ToLower(decodePercent(path)))
}

// isClean says that cleanPath would change nothing, which holds for nearly every
// request.
func isClean(path string) bool {
	for i := range len(path) {
		switch c := path[i]; {
		case 'A' <= c && c <= 'Z', c >= 0x80, c == '%':
			return false
		case (c == '/' || c == '.') && i > 0 && path[i-1] == '/':
			return false
		}
	}
	return path != "" && path[0] == '/'
}

// decodePercent decodes once; what is no encoding stays as it is.
func decodePercent(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, ok1 := hex.Digit(s[i+1])
			low, ok2 := hex.Digit(s[i+2])
			if ok1 && ok2 {
				out = append(out, high<<4|low)
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// removeDots merges slashes and resolves the segments . and .. of a path.
func removeDots(path string) string {
	var kept []string
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		last := i == len(segments)-1
		switch segment {
		case "", ".", "..":
			if segment == ".." && len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
			if last {
				kept = append(kept, "")
			}
		default:
			kept = append(kept, segment)
		}
	}
	return "/" + strings.Join(kept, "/")
}

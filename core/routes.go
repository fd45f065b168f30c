package core

import (
	"errors"
	"strings"

	"github.com/hookward/hookward/core/internal/jsondoc"
)

// Routes is the configuration of a host that has no router of its own, as
// people write it:
//
//	{"routes": [{"path": "/hooks/meta/*", "provider": "meta", …}],
//	 "unmatched": "pass" | "reject",
//	 "replay": {"store": {"module": "shared", "max_claims": 200000}}}
type Routes struct {
	// Routes are the gates and the paths at which they stand.
	Routes []Route
	// Unmatched is what becomes of a request that no route takes: "pass"
	// (without our header fields) or "reject" (404). Default: pass.
	Unmatched string
	// Store is the replay store, in JSON, of every gate that names none.
	Store string
}

// Route is a gate and where it stands.
type Route struct {
	// Path is an exact path, or a prefix that ends in *.
	Path string
	Config
}

// ParseRoutes reads a host's configuration from JSON, as strictly as
// ParseConfig: all that is wrong is told at once, each mistake with its place.
func ParseRoutes(data []byte) (Routes, error) {
	var doc jsondoc.Doc
	if err := doc.Parse(strings.ToValidUTF8(string(data), "\uFFFD")); err != nil {
		return Routes{}, errors.New("reading configuration: " + err.Error())
	}
	var (
		r Routes
		p problems
	)
	readObject(&p, "", doc.Root(), func(key string, v jsondoc.Value) bool {
		return r.set(&p, key, v)
	}, []string{"routes", "unmatched", "replay"})
	return r, p.err()
}

func (r *Routes) set(p *problems, key string, v jsondoc.Value) bool {
	switch key {
	case "routes":
		r.readRoutes(p, v)
	case "unmatched":
		readText(p, key, v, &r.Unmatched)
	case "replay":
		readObject(p, "replay.", v, func(key string, v jsondoc.Value) bool {
			if key != "store" {
				return false
			}
			readStore(p, "replay.store", v, &r.Store)
			return true
		}, []string{"store"})
	default:
		return false
	}
	return true
}

func (r *Routes) readRoutes(p *problems, v jsondoc.Value) {
	if v.Kind() != jsondoc.Array {
		p.add("routes", "must be a list of objects, not %s", kindWord(v))
		return
	}
	known := append([]string{"path"}, configKeys...)
	for e := v.First(); e.Exists(); e = e.Next() {
		var route Route
		place := routePlace(len(r.Routes))
		readObject(p, place, e, func(key string, v jsondoc.Value) bool {
			if key == "path" {
				readText(p, place+key, v, &route.Path)
				return true
			}
			return route.set(p, place, key, v)
		}, known)
		r.Routes = append(r.Routes, route)
	}
}

func routePlace(i int) string { return say("routes[%d].", i) }

// addAll takes over what is wrong with a part, with the part's place.
func (p *problems) addAll(place string, err error) {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range all.Unwrap() {
			p.addAll(place, err)
		}
	} else if err != nil {
		*p = append(*p, errors.New(place+err.Error()))
	}
}

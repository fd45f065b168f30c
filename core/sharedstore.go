package core

import (
	"math"
	"strconv"
	"strings"

	"github.com/hookward/hookward/core/internal/jsondoc"
)

// SharedStore is the configuration of Envoy's store "shared":
//
//	{"module": "shared", "max_claims": 200000}
type SharedStore struct {
	// MaxClaims is how many claims are held at most.
	MaxClaims int
}

const defaultSharedClaims = 200_000

// ParseSharedStore reads the configuration of a store that stands at place; ""
// is the default.
func ParseSharedStore(place, config string) (SharedStore, error) {
	s := SharedStore{MaxClaims: defaultSharedClaims}
	if config == "" {
		return s, nil
	}
	var doc jsondoc.Doc
	if err := doc.Parse(strings.ToValidUTF8(config, "\uFFFD")); err != nil {
		return s, err
	}
	var p problems
	module := ""
	readObject(&p, place+".", doc.Root(), func(key string, v jsondoc.Value) bool {
		switch key {
		case "module":
			readText(&p, place+".module", v, &module)
		case "max_claims":
			s.MaxClaims = readCount(&p, place+".max_claims", v)
		default:
			return false
		}
		return true
	}, []string{"module", "max_claims"})
	if module != "shared" {
		p.add(place+".module", "unknown store %q (known: http, shared)", module)
	}
	return s, p.err()
}

func readCount(p *problems, place string, v jsondoc.Value) int {
	n, err := strconv.Atoi(v.Text())
	if v.Kind() != jsondoc.Number || err != nil || n < 1 || n > math.MaxInt32 {
		p.add(place, "%s: a whole number from 1 to %d is wanted", v.Raw(), math.MaxInt32)
	}
	return n
}

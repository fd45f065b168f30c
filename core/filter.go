package core

import (
	"slices"
	"strings"

	"github.com/hookward/hookward/core/unified"
)

// setEvents refuses a pattern that no event's type can match: a slip of the pen
// would otherwise acknowledge, and lose, all that it was meant to let through.
func (g *Gate) setEvents(p *problems, patterns []string) {
	g.events = patterns
	if patterns != nil && len(patterns) == 0 {
		p.add("events", "is empty: name the types to forward, or leave the key out to forward all")
	}
	for i, pattern := range patterns {
		place := say("events[%d]", i)
		star := strings.IndexByte(pattern, '*')
		switch {
		case pattern == "", star >= 0 && star != len(pattern)-1:
			p.add(place, `%q is no event type: write one as "message.received", or a prefix as "message.*"`, pattern)
		case !g.canMatch(pattern):
			p.add(place, "%q matches no event type (known: %s, %s.*)", pattern, strings.Join(unified.Types[:], ", "), g.provider.Name)
		}
	}
}

func (g *Gate) canMatch(pattern string) bool {
	own := g.provider.Name + "."
	prefix, wild := strings.CutSuffix(pattern, "*")
	return g.provider == anyProvider ||
		strings.HasPrefix(prefix, own) ||
		wild && strings.HasPrefix(own, prefix) ||
		slices.ContainsFunc(unified.Types[:], func(typ string) bool { return matches(pattern, typ) })
}

// wantsEvent says that events of this type are forwarded.
func (g *Gate) wantsEvent(typ string) bool {
	return g.events == nil || slices.ContainsFunc(g.events, func(pattern string) bool { return matches(pattern, typ) })
}

func matches(pattern, typ string) bool {
	if prefix, wild := strings.CutSuffix(pattern, "*"); wild {
		return strings.HasPrefix(typ, prefix)
	}
	return typ == pattern
}

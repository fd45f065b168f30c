package core

import (
	"strings"
	"time"

	"github.com/hookward/hookward/core/provider"
)

const (
	defaultMaxBody = 1 << 20
	largestMaxBody = 1 << 30
	longestName    = 128
	defaultLease   = 60 * time.Second
	longestWindow  = 366 * 24 * time.Hour
)

// anyProvider stands in for one that is not known: the rest is checked against
// a provider that wants nothing of its own, so that all mistakes are told.
var anyProvider = &provider.Provider{
	Name:   "the provider",
	Auth:   provider.Auth{Headers: []string{"Signature"}, Algorithm: provider.SHA256},
	Window: time.Hour,
}

func (g *Gate) setProvider(p *problems, name string) {
	g.provider = provider.ByName(name)
	if g.provider != nil {
		return
	}
	g.provider = anyProvider
	known := strings.Join(Providers(), ", ")
	if name == "" {
		p.add("provider", "is missing: name who sends (known: %s)", known)
	} else {
		p.add("provider", "unknown provider %q (known: %s)", name, known)
	}
}

// setName takes what can stand in a header field and in a metric's label.
func (g *Gate) setName(p *problems, name string) {
	g.name = name
	if name == "" {
		g.name = g.provider.Name
	}
	if len(name) > longestName || strings.ContainsFunc(name, notInName) || strings.TrimSpace(name) != name {
		p.add("name", "%q: up to %d printable ASCII characters are wanted, without ; and = and without a space at either end", name, longestName)
	}
}

func notInName(r rune) bool { return r < ' ' || r > '~' || r == ';' || r == '=' }

func (g *Gate) setOutput(p *problems, output string) {
	switch output {
	case "", "unified":
	case "original":
		g.original = true
	default:
		p.add("output", "unknown output %q (known: unified, original)", output)
	}
}

func (g *Gate) setMaxBody(p *problems, size string) {
	g.maxBody = g.provider.MaxBody
	if g.maxBody == 0 {
		g.maxBody = defaultMaxBody
	}
	if size == "" {
		return
	}
	n, err := parseSize(size)
	if err != nil || n < 1 || n > largestMaxBody {
		p.add("max_body", "%q: a size from 1B to 1GiB is wanted, such as 1MiB", size)
		return
	}
	g.maxBody = n
}

func (g *Gate) setReplay(p *problems, c *ReplayConfig) {
	g.replay = Replay{Window: g.provider.Window, Lease: defaultLease, Accept: !g.provider.Retried}
	if c == nil {
		return
	}
	g.replay.Off, g.replay.Store = c.Off, c.Store
	if c.Off {
		g.notes = append(g.notes, "replay is off: duplicates and captured deliveries reach the backend")
	}
	if c.Window != "" {
		g.setWindow(p, c.Window)
	}
	if c.Lease != "" {
		g.replay.Lease = readDuration(p, "replay.lease", c.Lease, time.Second, time.Hour)
	}
	g.setOnError(p, c.OnError)
}

func (g *Gate) setWindow(p *problems, text string) {
	needed := g.provider.Window
	g.replay.Window = readDuration(p, "replay.window", text, time.Minute, longestWindow)
	if g.replay.Window < needed {
		g.notes = append(g.notes, say("replay.window %s is shorter than the %s that %s's retries need: late retries pass as new", text, inWords(needed), g.provider.Name))
	}
}

func (g *Gate) setOnError(p *problems, word string) {
	switch word {
	case "":
	case "reject":
		g.replay.Accept = false
	case "accept":
		g.replay.Accept = true
		if g.provider.Retried {
			p.add("replay.on_error", `"accept" would let duplicates through, although %s sends again what is rejected: leave it at "reject"`, g.provider.Name)
		}
	default:
		p.add("replay.on_error", "unknown word %q (known: reject, accept)", word)
	}
}

// setMaxAge also lets the store remember for as long as the clock lets an event
// pass that was dated ahead of it: else a capture could pass in between.
func (g *Gate) setMaxAge(p *problems, age string) {
	if g.provider.Timed {
		g.maxAge = g.replay.Window
	}
	switch {
	case age == "":
	case age == "off":
		g.maxAge = 0
	case g.provider.Auth.IsToken():
		p.add("max_age", "%s signs nothing, so the time of an event proves nothing: remove it", g.provider.Name)
	default:
		g.maxAge = readDuration(p, "max_age", age, time.Second, longestWindow)
		window := g.replay.Window // 0 if it was wrong itself, and told so
		if g.maxAge > window && window > 0 && !g.replay.Off {
			p.add("max_age", "%q is longer than replay.window (%s), so a capture could pass again in between: shorten it or lengthen the window", age, inWords(window))
		}
	}
	if g.maxAge > 0 {
		g.replay.Window = max(g.replay.Window, g.maxAge+future)
	}
}

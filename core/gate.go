package core

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/hookward/hookward/core/provider"
)

const (
	defaultMaxBody = 1 << 20
	defaultLease   = 60 * time.Second
	maxSecrets     = 4
	maxSignWith    = 2
	// future is how far ahead of our clock a signed time may be.
	future = 5 * time.Minute
)

// Gate is one configured endpoint. It is safe for concurrent use, and only its
// table of request rates ever changes.
type Gate struct {
	name        string
	provider    *provider.Provider
	macs        []*mac   // one for each secret, where the provider signs
	tokens      []string // the secrets, where they come along
	verifyToken []string
	publicURL   string
	original    bool
	events      []string
	maxBody     int64
	allow       []netip.Prefix
	rate        *rateTable
	maxAge      time.Duration // 0: off
	signWith    []*mac
	reportOnly  bool
	replay      Replay
	remove      []string // header fields that a rewritten request loses
	notes       []string
	scratch     scratchPool
}

// Replay is a gate's replay protection, for the host's store.
type Replay struct {
	// Off: nothing is claimed.
	Off bool
	// Window is how long a delivered event is remembered, Lease how long it
	// stays claimed while the backend works on it.
	Window, Lease time.Duration
	// Accept forwards events while the store can't answer.
	Accept bool
	// Store is the host's store in JSON, "" for its default.
	Store string
}

// New makes a gate of a configuration whose placeholders the host has
// replaced. It finds every mistake at once, each with its key, and quotes no
// secret.
func New(c Config) (*Gate, error) {
	var p problems
	g := &Gate{provider: provider.ByName(c.Provider), reportOnly: c.ReportOnly}
	if g.provider == nil {
		if c.Provider == "" {
			p.add("provider", "is missing (known: %s)", knownProviders())
		} else {
			p.add("provider", "unknown provider %q (known: %s)", c.Provider, knownProviders())
		}
		// The rest can be checked against any provider that wants nothing of
		// its own, so that all mistakes are told at once.
		g.provider = &provider.Provider{Name: "?", Auth: provider.Auth{Headers: []string{"?"}, Algorithm: provider.SHA256}, Window: time.Hour}
	}
	g.name = c.Name
	if g.name == "" {
		g.name = g.provider.Name
	}
	if len(g.name) > 128 || strings.ContainsFunc(g.name, func(r rune) bool { return r < ' ' || r > '~' || r == ';' || r == '=' }) {
		p.add("name", "%q: up to 128 printable ASCII characters without ; and =", g.name)
	}
	g.setSecrets(&p, c)
	g.setPublicURL(&p, c.PublicURL)
	switch c.Output {
	case "", "unified":
	case "original":
		g.original = true
	default:
		p.add("output", "unknown output %q (known: unified, original)", c.Output)
	}
	g.setEvents(&p, c.Events)
	g.setMaxBody(&p, c.MaxBody)
	g.setAllowIPs(&p, c.AllowIPs)
	if c.RateLimit != "" {
		var err error
		if g.rate, err = newRateTable(c.RateLimit); err != nil {
			p.add("rate_limit", "%q: %v", c.RateLimit, err)
		}
	}
	g.setReplay(&p, c.Replay)
	g.setMaxAge(&p, c.MaxAge)
	g.setSignWith(&p, c.SignWith)
	if g.reportOnly {
		g.notes = append(g.notes, "report_only: nothing is rejected and nothing is claimed; every request reaches the backend, with X-Hookward-Would-Reject where it would have been rejected")
	}
	if err := p.err(); err != nil {
		return nil, err
	}
	g.remove = g.removed()
	return g, nil
}

// Name is the endpoint's name.
func (g *Gate) Name() string { return g.name }

// Provider is the provider's name.
func (g *Gate) Provider() string { return g.provider.Name }

// MaxBody is the largest body that is read, in bytes.
func (g *Gate) MaxBody() int64 { return g.maxBody }

// Replay is the gate's replay protection.
func (g *Gate) Replay() Replay { return g.replay }

// ReportOnly says that the gate rejects nothing.
func (g *Gate) ReportOnly() bool { return g.reportOnly }

// Notes are what an operator should be told when the gate is loaded.
func (g *Gate) Notes() []string { return g.notes }

// Providers are the names of all providers.
func Providers() []string {
	var names []string
	for _, p := range provider.All() {
		names = append(names, p.Name)
	}
	return names
}

func knownProviders() string { return strings.Join(Providers(), ", ") }

func (g *Gate) setSecrets(p *problems, c Config) {
	switch {
	case len(c.Secrets) == 0:
		p.add("secrets", "at least one secret is needed: an endpoint without one would accept everybody")
	case len(c.Secrets) > maxSecrets:
		p.add("secrets", "%d secrets, at most %d can be good at once: remove the old ones", len(c.Secrets), maxSecrets)
	}
	auth := &g.provider.Auth
	for i, s := range trimSecrets(p, "secrets", c.Secrets) {
		if auth.IsToken() {
			g.tokens = append(g.tokens, s)
		} else {
			g.macs = append(g.macs, newMAC(auth.Algorithm, []byte(s)))
		}
		if len(s) < auth.AdvisedLength {
			g.notes = append(g.notes, fmt.Sprintf("secrets[%d] is shorter than the %d characters that are advised for a token", i, auth.AdvisedLength))
		}
	}
	if len(c.VerifyToken) > maxSecrets {
		p.add("verify_token", "%d tokens, at most %d can be good at once: remove the old ones", len(c.VerifyToken), maxSecrets)
	}
	g.verifyToken = trimSecrets(p, "verify_token", c.VerifyToken)
	wants := g.provider.Handshake != nil && g.provider.Handshake.VerifyToken != ""
	switch {
	case len(c.VerifyToken) > 0 && !wants:
		p.add("verify_token", "%s has no handshake with a verify token: remove it", g.provider.Name)
	case len(c.VerifyToken) == 0 && wants:
		g.notes = append(g.notes, "verify_token is not set: every handshake is denied")
	}
}

// trimSecrets cuts the newline that files end with, and refuses what is then
// empty: an empty key would accept what anybody can sign.
func trimSecrets(p *problems, key string, secrets []string) []string {
	var good []string
	for i, s := range secrets {
		s = strings.TrimRight(s, "\r\n")
		if strings.TrimSpace(s) == "" {
			p.add(fmt.Sprintf("%s[%d]", key, i), "is empty: set the variable or file that it is read from")
			s = ""
		}
		good = append(good, s)
	}
	return good
}

func (g *Gate) setEvents(p *problems, patterns []string) {
	g.events = patterns
	if patterns != nil && len(patterns) == 0 {
		p.add("events", "is empty: name the types to forward, or leave the key out to forward all")
	}
	for i, e := range patterns {
		star := strings.IndexByte(e, '*')
		if e == "" || (star >= 0 && star != len(e)-1) {
			p.add(fmt.Sprintf("events[%d]", i), `%q is no event type: write one as "message.received", or a prefix as "message.*"`, e)
		}
	}
}

// wantsEvent says that events of this type are forwarded.
func (g *Gate) wantsEvent(typ string) bool {
	if g.events == nil {
		return true
	}
	return slices.ContainsFunc(g.events, func(pattern string) bool {
		if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
			return strings.HasPrefix(typ, prefix)
		}
		return typ == pattern
	})
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
	if err != nil || n < 1 || n > 1<<30 {
		p.add("max_body", "%q: a size from 1B to 1GiB is wanted, such as 1MiB", size)
		return
	}
	g.maxBody = n
}

func (g *Gate) setReplay(p *problems, c *ReplayConfig) {
	r := Replay{Window: g.provider.Window, Lease: defaultLease, Accept: !g.provider.Retried}
	if c == nil {
		c = &ReplayConfig{}
	}
	r.Off, r.Store = c.Off, c.Store
	if c.Off {
		g.notes = append(g.notes, "replay is off: duplicates and captured deliveries reach the backend")
	}
	if c.Window != "" {
		r.Window = readDuration(p, "replay.window", c.Window, time.Minute, 366*24*time.Hour)
		if r.Window > 0 && r.Window < g.provider.Window {
			g.notes = append(g.notes, fmt.Sprintf("replay.window %s is shorter than the %s that %s's retries need: late retries pass as new", c.Window, g.provider.Window, g.provider.Name))
		}
	}
	if c.Lease != "" {
		r.Lease = readDuration(p, "replay.lease", c.Lease, time.Second, time.Hour)
	}
	switch c.OnError {
	case "":
	case "reject":
		r.Accept = false
	case "accept":
		r.Accept = true
		if g.provider.Retried {
			p.add("replay.on_error", `"accept" would let duplicates through although %s sends again what is rejected: leave it at "reject"`, g.provider.Name)
		}
	default:
		p.add("replay.on_error", "unknown word %q (known: reject, accept)", c.OnError)
	}
	g.replay = r
}

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
		g.maxAge = readDuration(p, "max_age", age, time.Second, 366*24*time.Hour)
		if g.maxAge > g.replay.Window && !g.replay.Off {
			p.add("max_age", "%q is longer than replay.window (%s): a capture could pass again in between; shorten it or lengthen the window", age, g.replay.Window)
		}
	}
}

func readDuration(p *problems, place, text string, least, most time.Duration) time.Duration {
	d, err := parseDuration(text)
	if err != nil || d < least || d > most {
		p.add(place, "%q: a duration from %s to %s is wanted, such as 90s, 12h or 7d", text, least, most)
		return 0
	}
	return d
}

func (g *Gate) setAllowIPs(p *problems, list []string) {
	if list != nil && len(list) == 0 {
		p.add("allow_ips", "is empty: nobody could send; name clients, or leave the key out to allow all")
	}
	for i, s := range list {
		if s == "private_ranges" {
			g.allow = append(g.allow, privateRanges...)
			continue
		}
		prefix, err := parsePrefix(s)
		if err != nil {
			p.add(fmt.Sprintf("allow_ips[%d]", i), "%q is neither an address, nor a CIDR, nor private_ranges", s)
			continue
		}
		g.allow = append(g.allow, prefix)
	}
}

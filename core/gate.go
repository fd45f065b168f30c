package core

import (
	"net/netip"
	"time"

	"github.com/hookward/hookward/core/provider"
	"github.com/hookward/hookward/core/unified"
)

// future is how far ahead of our clock a signed time may be.
const future = 5 * time.Minute

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
	remove      []string // header fields that a forwarded request loses
	writer      *unified.Writer
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
	g := &Gate{reportOnly: c.ReportOnly}
	g.setProvider(&p, c.Provider)
	g.setName(&p, c.Name)
	g.setSecrets(&p, c.Secrets)
	g.setVerifyToken(&p, c.VerifyToken)
	g.setPublicURL(&p, c.PublicURL)
	g.setOutput(&p, c.Output)
	g.setEvents(&p, c.Events)
	g.setMaxBody(&p, c.MaxBody)
	g.setAllowIPs(&p, c.AllowIPs)
	g.setRateLimit(&p, c.RateLimit)
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
	g.writer = unified.NewWriter(g.provider.Name, g.name, g.provider.Auth.Assurance())
	return g, nil
}

// Name is the endpoint's name.
func (g *Gate) Name() string { return g.name }

// Provider is the provider's name.
func (g *Gate) Provider() string { return g.provider.Name }

// MaxBody is the largest body that is read, in bytes.
func (g *Gate) MaxBody() int64 { return g.maxBody }

// SecretInQuery says that a request's query may hold a secret: a host shows it
// to no log, also where it forwards nothing.
func (g *Gate) SecretInQuery() bool {
	return g.provider.Auth.Query != "" || len(g.verifyToken) > 0
}

// Replay is the gate's replay protection.
func (g *Gate) Replay() Replay { return g.replay }

// ReportOnly says that the gate rejects nothing.
func (g *Gate) ReportOnly() bool { return g.reportOnly }

// WantsClient says that the gate looks at the sender's address; a host to which
// it is dear may leave it out for others.
func (g *Gate) WantsClient() bool { return g.allow != nil || g.rate != nil }

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

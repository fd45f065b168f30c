package hookward

import (
	"encoding/json"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/hookward/hookward/core"
)

func init() {
	httpcaddyfile.RegisterDirective("verify_webhook", parseDirective)
	// Before handle and route, which come early: a gate next to reverse_proxy
	// would be passed by handle /x { reverse_proxy … }.
	httpcaddyfile.RegisterDirectiveOrder("verify_webhook", httpcaddyfile.After, "forward_auth")
	httpcaddyfile.RegisterGlobalOption("webhook", parseGlobalOption)
}

// parseDirective makes of the directive one route without a matcher. Where the
// directive has a matcher, first the fields that are ours are removed from every
// request, then the gate sees those that match. Two routes would be sorted apart.
// A gate for all removes them itself.
func parseDirective(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	h.Next()
	matcher, err := h.ExtractMatcherSet()
	if err != nil {
		return nil, err
	}
	gate := new(Gate)
	if err := gate.UnmarshalCaddyfile(h.Dispenser); err != nil {
		return nil, err
	}
	if matcher == nil {
		return h.NewRoute(nil, gate), nil
	}
	strip := caddyconfig.JSONModuleObject(Strip{}, "handler", "webhook_strip", nil)
	verify := caddyconfig.JSONModuleObject(gate, "handler", "verify_webhook", nil)
	return h.NewRoute(nil, &caddyhttp.Subroute{Routes: caddyhttp.RouteList{
		{HandlersRaw: []json.RawMessage{strip}},
		{MatcherSetsRaw: []caddy.ModuleMap{matcher}, HandlersRaw: []json.RawMessage{verify}},
	}}), nil
}

// UnmarshalCaddyfile reads
//
//	verify_webhook [<matcher>] <provider> {
//	    name         <endpoint>
//	    secret       <secret>...
//	    verify_token <token>...
//	    public_url   <url>
//	    output       unified|original
//	    events       <type>...
//	    max_body     <size>
//	    allow_ips    <address>|<cidr>|private_ranges...
//	    rate_limit   <n>/s [<burst>]
//	    max_age      <duration>|off
//	    sign_with    <whsec_...>...
//	    report_only
//	    replay       off
//	    replay {
//	        window   <duration>
//	        lease    <duration>
//	        on_error reject|accept
//	        store    <name> {
//	            ...
//	        }
//	    }
//	}
//
// Secrets may be {env.NAME} or {file./path}. secret, verify_token, events,
// allow_ips and sign_with may be repeated. All mistakes of the block are told
// at once.
func (g *Gate) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	r := newBlockReader(d)
	if !d.NextArg() {
		return d.Errf("verify_webhook: which provider? (known: %s)", strings.Join(core.Providers(), ", "))
	}
	g.Config.Provider = d.Val()
	if more := d.RemainingArgs(); len(more) > 0 {
		r.fail("verify_webhook takes one provider, and before it a matcher, not also %q", strings.Join(more, " "))
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		g.readOption(r)
	}
	// The core's mistakes are told while the Caddyfile's lines are known.
	// Placeholders have no value yet.
	if _, err := core.New(unresolved(g.Config)); err != nil {
		r.failAtPlaces(err)
	}
	return r.err()
}

func (g *Gate) readOption(r *blockReader) {
	c := &g.Config
	switch r.Val() {
	case "name":
		r.one("name", &c.Name)
	case "secret":
		r.many("secrets", &c.Secrets)
	case "verify_token":
		r.many("verify_token", &c.VerifyToken)
	case "public_url":
		r.one("public_url", &c.PublicURL)
	case "output":
		r.one("output", &c.Output)
	case "events":
		r.many("events", &c.Events)
	case "max_body":
		r.one("max_body", &c.MaxBody)
	case "allow_ips":
		r.many("allow_ips", &c.AllowIPs)
	case "rate_limit":
		r.joined("rate_limit", &c.RateLimit)
	case "max_age":
		r.one("max_age", &c.MaxAge)
	case "sign_with":
		r.many("sign_with", &c.SignWith)
	case "report_only":
		r.flag(&c.ReportOnly)
	case "replay":
		r.replay(&c.Replay)
	default:
		r.unknown("name, secret, verify_token, public_url, output, events, max_body, allow_ips, rate_limit, max_age, sign_with, report_only, replay")
	}
}

// parseGlobalOption reads
//
//	webhook {
//	    store <name> {
//	        ...
//	    }
//	}
func parseGlobalOption(d *caddyfile.Dispenser, existing any) (any, error) {
	app := new(App)
	d.Next()
	if existing != nil {
		return nil, d.Err("the global option webhook stands twice: remove one")
	}
	for d.NextBlock(0) {
		if d.Val() != "store" {
			return nil, d.Errf("unknown option %q (known: store)", d.Val())
		}
		if app.StoreRaw != nil {
			return nil, d.Err("store stands twice: remove one")
		}
		store, err := readStore(d)
		if err != nil {
			return nil, err
		}
		app.StoreRaw = store
	}
	return httpcaddyfile.App{Name: "webhook", Value: caddyconfig.JSON(app, nil)}, nil
}

var _ caddyfile.Unmarshaler = (*Gate)(nil)

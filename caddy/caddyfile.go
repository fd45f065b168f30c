package hookward

import (
	"encoding/json"
	"errors"
	"slices"
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

// parseDirective makes of the directive one route without a matcher: in it,
// first the fields that are ours are removed from every request, then the gate
// sees those that match. Two routes would be sorted apart.
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
	strip := caddyconfig.JSONModuleObject(Strip{}, "handler", "webhook_strip", nil)
	verify := caddyconfig.JSONModuleObject(gate, "handler", "verify_webhook", nil)
	if matcher == nil {
		return h.NewRoute(nil, &caddyhttp.Subroute{Routes: caddyhttp.RouteList{
			{HandlersRaw: []json.RawMessage{strip, verify}},
		}}), nil
	}
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
	r := blockReader{Dispenser: d}
	d.Next()
	if !d.NextArg() {
		return d.Errf("verify_webhook: which provider? (known: %s)", strings.Join(core.Providers(), ", "))
	}
	g.Config.Provider = d.Val()
	if d.NextArg() {
		r.fail("verify_webhook takes one provider, not also %q", d.Val())
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		g.readOption(&r)
	}
	if err := r.err(); err != nil {
		return err
	}
	return g.precheck(d)
}

func (g *Gate) readOption(r *blockReader) {
	c := &g.Config
	switch r.Val() {
	case "name":
		r.one(&c.Name)
	case "secret":
		r.many(&c.Secrets)
	case "verify_token":
		r.many(&c.VerifyToken)
	case "public_url":
		r.one(&c.PublicURL)
	case "output":
		r.one(&c.Output)
	case "events":
		r.many(&c.Events)
	case "max_body":
		r.one(&c.MaxBody)
	case "allow_ips":
		r.many(&c.AllowIPs)
	case "rate_limit":
		r.joined(&c.RateLimit)
	case "max_age":
		r.one(&c.MaxAge)
	case "sign_with":
		r.many(&c.SignWith)
	case "report_only":
		r.flag(&c.ReportOnly)
	case "replay":
		r.replay(&c.Replay)
	default:
		r.unknown("name, secret, verify_token, public_url, output, events, max_body, allow_ips, rate_limit, max_age, sign_with, report_only, replay")
	}
}

// precheck tells while the Caddyfile's lines are known what the core will say
// of the configuration. Placeholders have no value yet: something good stands
// in for them.
func (g *Gate) precheck(d *caddyfile.Dispenser) error {
	c := g.Config
	c.Secrets = standIn(c.Secrets, strings.Repeat("x", 64))
	c.VerifyToken = standIn(c.VerifyToken, "x")
	c.SignWith = standIn(c.SignWith, "whsec_"+strings.Repeat("A", 32))
	c.AllowIPs = standIn(c.AllowIPs, "private_ranges")
	c.PublicURL = standIn([]string{c.PublicURL}, "https://example.com")[0]
	c.Name = standIn([]string{c.Name}, "x")[0]
	if _, err := core.New(c); err != nil {
		return d.WrapErr(err)
	}
	return nil
}

func standIn(values []string, good string) []string {
	values = slices.Clone(values)
	for i, v := range values {
		if strings.Contains(v, "{") {
			values[i] = good
		}
	}
	return values
}

// blockReader reads the options of a block and gathers what is wrong with them.
type blockReader struct {
	*caddyfile.Dispenser
	errs []error
}

func (r *blockReader) err() error { return errors.Join(r.errs...) }

func (r *blockReader) fail(format string, args ...any) {
	r.errs = append(r.errs, r.Errf(format, args...))
}

func (r *blockReader) unknown(known string) {
	r.fail("unknown option %q (known: %s)", r.Val(), known)
	r.RemainingArgs()
	for nesting := r.Nesting(); r.NextBlock(nesting); {
	}
}

// args are the option's arguments, of which there must be some.
func (r *blockReader) args(once bool) (option string, args []string) {
	option = r.Val()
	args = r.RemainingArgs()
	switch {
	case len(args) == 0:
		r.fail("%s: a value is missing", option)
	case once:
		r.fail("%s stands twice: remove one", option)
	}
	return option, args
}

func (r *blockReader) one(to *string) {
	option, args := r.args(*to != "")
	if len(args) > 1 {
		r.fail("%s takes one value, not %d", option, len(args))
	}
	if len(args) > 0 {
		*to = args[0]
	}
}

func (r *blockReader) joined(to *string) {
	_, args := r.args(*to != "")
	*to = strings.Join(args, " ")
}

func (r *blockReader) many(to *[]string) {
	_, args := r.args(false)
	*to = append(*to, args...)
}

func (r *blockReader) flag(to *bool) {
	option := r.Val()
	if len(r.RemainingArgs()) > 0 {
		r.fail("%s takes no value", option)
	}
	*to = true
}

func (r *blockReader) replay(to **core.ReplayConfig) {
	if *to != nil {
		r.fail("replay stands twice: remove one")
	}
	c := &core.ReplayConfig{}
	*to = c
	if args := r.RemainingArgs(); len(args) > 0 {
		if c.Off = len(args) == 1 && args[0] == "off"; !c.Off {
			r.fail(`replay takes "off" or a block, not %q`, strings.Join(args, " "))
		}
	}
	for nesting := r.Nesting(); r.NextBlock(nesting); {
		switch r.Val() {
		case "window":
			r.one(&c.Window)
		case "lease":
			r.one(&c.Lease)
		case "on_error":
			r.one(&c.OnError)
		case "store":
			store, err := readStore(r.Dispenser)
			if err != nil {
				r.errs = append(r.errs, err)
			}
			c.Store = string(store)
		default:
			r.unknown("window, lease, on_error, store")
		}
	}
}

// readStore reads "store <name> { … }": the block is the store module's own.
func readStore(d *caddyfile.Dispenser) (json.RawMessage, error) {
	if !d.NextArg() {
		return nil, d.Err("store: which one? such as: store memory")
	}
	name := d.Val()
	module, err := caddyfile.UnmarshalModule(d, "http.webhook.stores."+name)
	if err != nil {
		return nil, err
	}
	return caddyconfig.JSONModuleObject(module, "module", name, nil), nil
}

// parseGlobalOption reads
//
//	webhook {
//	    store <name> {
//	        ...
//	    }
//	}
func parseGlobalOption(d *caddyfile.Dispenser, existing any) (any, error) {
	if existing != nil {
		return nil, d.Err("the global option webhook stands twice: remove one")
	}
	app := new(App)
	d.Next()
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

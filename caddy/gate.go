// Package hookward is the gate as a module of Caddy: the directive
// verify_webhook, its replay stores, metrics and sub-commands. Importing it
// registers them all; a Caddy is built with it by
//
//	xcaddy build --with github.com/hookward/hookward/caddy
//
// What is decided here is decided by the core; this package translates.
package hookward

import (
	"encoding/json"
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/hookward/hookward/core"
)

func init() {
	caddy.RegisterModule(&Gate{})
}

// Gate is the handler that authenticates a provider's webhook requests and
// rewrites them to one JSON shape before the next handler sees them. Its JSON
// is core.Config's, with placeholders.
type Gate struct {
	core.Config

	gate    *core.Gate
	app     *App
	store   *storeHandle // nil where nothing is claimed
	log     *zap.Logger
	sampled *zap.Logger
	metrics *gateMetrics
	events  eventEmitter
}

// CaddyModule returns the Caddy module information.
func (*Gate) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.verify_webhook",
		New: func() caddy.Module { return new(Gate) },
	}
}

// UnmarshalJSON reads the configuration as the core does, so that both hosts
// know the same keys and tell all mistakes at once.
func (g *Gate) UnmarshalJSON(data []byte) error {
	data, err := withoutKey(data, "handler")
	if err != nil {
		return err
	}
	g.Config, err = core.ParseConfig(data)
	return err
}

// MarshalJSON is the opposite of UnmarshalJSON.
func (g *Gate) MarshalJSON() ([]byte, error) { return json.Marshal(g.Config) }

// withoutKey takes Caddy's own key out of a module's object.
func withoutKey(data []byte, key string) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	if _, ok := members[key]; !ok {
		return data, nil
	}
	delete(members, key)
	return json.Marshal(members)
}

// Provision makes the gate. It opens no store: a configuration is provisioned
// to be validated, too, beside a live server.
func (g *Gate) Provision(ctx caddy.Context) error {
	g.log = ctx.Logger()
	resolved, err := resolvePlaceholders(g.Config)
	if err != nil {
		return g.explain(err)
	}
	if g.gate, err = core.New(resolved); err != nil {
		return g.explain(err)
	}
	app, err := ctx.App("webhook")
	if err != nil {
		return err
	}
	g.app = app.(*App)
	if err := g.app.add(g.gate, resolved); err != nil {
		return g.explain(err)
	}
	if replay := g.gate.Replay(); !replay.Off && !g.gate.ReportOnly() {
		if g.store, err = g.app.storeFor(ctx, replay.Store); err != nil {
			return g.explain(err)
		}
	}
	g.events = newEventEmitter(ctx)
	g.sampled = sampledLogger(g.log)
	store := "none"
	if g.store != nil {
		store = g.store.name()
	}
	g.metrics = newGateMetrics(g.gate, store)
	g.sayNotes()
	return nil
}

// explain names the gate, since Provision knows no lines of a Caddyfile.
func (g *Gate) explain(err error) error {
	name := g.Name
	if name == "" {
		name = g.Config.Provider
	}
	return fmt.Errorf("webhook gate %q:\n%w", name, err)
}

func (g *Gate) sayNotes() {
	log := g.log.With(zap.String("name", g.gate.Name()), zap.String("provider", g.gate.Provider()))
	for _, note := range g.gate.Notes() {
		log.Warn(note)
	}
	for _, key := range literalSecrets(g.Config) {
		log.Warn(key + " stands literally in the configuration, which the admin API and autosave.json show: use {env.NAME} or {file./path}")
	}
}

var (
	_ caddy.Provisioner           = (*Gate)(nil)
	_ caddyhttp.MiddlewareHandler = (*Gate)(nil)
)

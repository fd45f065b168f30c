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
	"errors"
	"fmt"
	"regexp"
	"strings"

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
//
// The server that a gate belongs to strips X-Hookward-* from every request, on
// paths without a gate as well; for a gate in a named route it does not, nor
// does another server that leads to the same backend: there webhook_strip does.
//
// An error of the handlers behind the gate releases the delivery's claims, so
// that the provider's retry is new. A handle_errors that makes a 2xx of it tells
// the provider that there is nothing to send again: the event is lost.
//
// These placeholders are there after the gate, and on its rejections too:
//
// Placeholder | Description
// ------------|------------
// `{http.webhook.name}` | The gate's name
// `{http.webhook.provider}` | The provider's name
// `{http.webhook.delivery}` | The deliveryId, once the request is authentic
// `{http.webhook.event}` | The type of the event that is forwarded, "batch" for several
// `{http.webhook.verdict}` | accepted, rejected, would_reject, duplicate, handshake, filtered or empty
// `{http.webhook.code}` | Why it was, or would have been, rejected
// `{http.webhook.assurance}` | signature, token or none
type Gate struct {
	core.Config

	gate    *core.Gate
	app     *App
	store   *storeHandle // nil where nothing is claimed
	log     *zap.Logger
	metrics *gateMetrics
	events  eventEmitter
	// What is logged of rejections, and of the store's failures.
	rejections, failures core.Sampler
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
func (g *Gate) UnmarshalJSON(data []byte) (err error) {
	g.Config, err = core.ParseConfig(data)
	return err
}

// MarshalJSON is the opposite of UnmarshalJSON.
func (g *Gate) MarshalJSON() ([]byte, error) { return json.Marshal(g.Config) }

// Provision makes the gate. It opens no store: a configuration is provisioned
// to be validated, too, beside a live server.
func (g *Gate) Provision(ctx caddy.Context) error {
	g.log = ctx.Logger()
	resolved, unresolved := resolvePlaceholders(g.Config)
	gate, err := core.New(resolved)
	if err = errors.Join(unresolved, err); err != nil {
		return g.explain(errors.New(inOneLine(bothWords(err.Error()))))
	}
	g.gate = gate
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
	if g.events, err = newEventEmitter(ctx); err != nil {
		return err
	}
	g.metrics = newGateMetrics(g.gate, len(g.Secrets), g.store)
	stripOnWholeServer(ctx)
	g.sayNotes()
	return nil
}

// explain names the gate, since Provision knows no lines of a Caddyfile.
func (g *Gate) explain(err error) error {
	name := g.Name
	if name == "" {
		name = g.Config.Provider
	}
	return fmt.Errorf("webhook gate %q: %w", name, err)
}

var secretsPlace = regexp.MustCompile(`(?m)^secrets(\[\d\])?`)

// bothWords names the option as the Caddyfile does, too, where a text of the
// core names a place: what a gate is provisioned of may have been either.
func bothWords(text string) string {
	return secretsPlace.ReplaceAllString(text, "secret (JSON: $0)")
}

// inOneLine is what JSON, in which Caddy logs the error, shows without \n.
func inOneLine(lines string) string { return strings.ReplaceAll(lines, "\n", "; ") }

func (g *Gate) sayNotes() {
	log := g.log.With(zap.String("name", g.gate.Name()), zap.String("provider", g.gate.Provider()))
	for _, note := range g.gate.Notes() {
		log.Warn(bothWords(note))
	}
	for _, key := range literalSecrets(g.Config) {
		log.Warn(bothWords(key) + " stands literally in the configuration, which the admin API and autosave.json show: use {env.NAME} or {file./path}")
	}
	if g.store != nil && g.store.module.Capacity() > 0 {
		log.Info(capacityNote(g.store.module.Capacity(), g.gate.Replay().Window), zap.String("store", g.store.label()))
	}
}

var (
	_ caddy.Provisioner           = (*Gate)(nil)
	_ caddyhttp.MiddlewareHandler = (*Gate)(nil)
)

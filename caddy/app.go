package hookward

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/hookward/hookward/core"
)

func init() {
	caddy.RegisterModule(&App{})
}

// App is what all gates of a configuration share: the default store, and the
// knowledge of each other's names.
type App struct {
	// StoreRaw is the store of every gate that names none. Default: memory.
	StoreRaw json.RawMessage `json:"store,omitempty" caddy:"namespace=http.webhook.stores inline_key=module"`

	ctx     caddy.Context
	log     *zap.Logger
	load    uint64 // the configuration's number
	gates   map[string]namedGate
	handles []*storeHandle
}

// namedGate is what gates of one name must have in common: else one's secret
// would open the other, and one's claims would swallow the other's events.
type namedGate struct {
	provider string
	secrets  []string
}

// CaddyModule returns the Caddy module information.
func (*App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "webhook",
		New: func() caddy.Module { return new(App) },
	}
}

// Provision registers the metrics with the configuration's registry.
func (a *App) Provision(ctx caddy.Context) error {
	a.ctx, a.log = ctx, ctx.Logger()
	a.gates, a.load = map[string]namedGate{}, loads.Add(1)
	if registry := ctx.GetMetricsRegistry(); registry != nil {
		for _, c := range collectors {
			if err := registry.Register(c); err != nil && !errors.As(err, &prometheus.AlreadyRegisteredError{}) {
				return fmt.Errorf("registering metrics: %w", err)
			}
		}
	}
	return nil
}

// add makes a gate known by its name.
func (a *App) add(gate *core.Gate, c core.Config) error {
	this := namedGate{gate.Provider(), c.Secrets}
	other, taken := a.gates[gate.Name()]
	if taken && (other.provider != this.provider || !slices.Equal(other.secrets, this.secrets)) {
		return fmt.Errorf("name: another gate is named %q and has another provider or other secrets: give each its own name", gate.Name())
	}
	a.gates[gate.Name()] = this
	return nil
}

// storeFor is the handle of the store that a gate's configuration names, of the
// default store where it names none.
func (a *App) storeFor(ctx caddy.Context, config string) (*storeHandle, error) {
	raw := json.RawMessage(config)
	if len(raw) == 0 {
		raw = a.StoreRaw
	}
	if len(raw) == 0 {
		raw = json.RawMessage(`{"module":"memory"}`)
	}
	module, err := loadStore(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("replay.store: %w", err)
	}
	h := &storeHandle{module: module, log: a.log, load: a.load}
	a.handles = append(a.handles, h)
	return h, nil
}

// Start opens the stores. One that can't be opened yet is a warning: its gates
// answer as on_error says until it can.
func (a *App) Start() error {
	for _, h := range a.handles {
		if _, err := h.open(); err != nil {
			a.log.Warn("replay store can't be opened", zap.String("store", h.module.Location()), zap.Error(err))
		}
	}
	return nil
}

// Stop leaves the stores to Cleanup, since requests may still be in flight.
func (a *App) Stop() error { return nil }

// Cleanup lets go of the stores.
func (a *App) Cleanup() error {
	for _, h := range a.handles {
		h.close()
	}
	return nil
}

var (
	_ caddy.App          = (*App)(nil)
	_ caddy.Provisioner  = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)

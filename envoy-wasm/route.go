package main

import (
	"errors"
	"fmt"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/envoy-wasm/shared"
)

// route is a gate with what this host adds to it.
type route struct {
	gate    *core.Gate
	store   *shared.Store // nil where nothing is claimed
	replay  core.Replay
	metrics gateMetrics
}

func (p *plugin) makeRoutes(defaultStore string) error {
	var errs []error
	stores := map[int]*shared.Store{}
	for i, gate := range p.router.Gates() {
		r := &route{gate: gate, replay: gate.Replay()}
		p.routes = append(p.routes, r)
		if !r.replay.Off && !gate.ReportOnly() {
			place, config := fmt.Sprintf("routes[%d].replay.store", i), r.replay.Store
			if config == "" {
				place, config = "replay.store", defaultStore
			}
			c, err := core.ParseSharedStore(place, config)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			if stores[c.MaxClaims] == nil {
				stores[c.MaxClaims] = p.metrics.addStore(c.MaxClaims)
			}
			r.store = stores[c.MaxClaims]
		}
		r.metrics = newGateMetrics(&p.metrics, r)
	}
	return errors.Join(errs...)
}

func (r *route) fields() []core.Field {
	return []core.Field{field("name", r.gate.Name()), field("provider", r.gate.Provider())}
}

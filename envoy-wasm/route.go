package main

import (
	"errors"
	"strconv"
	"syscall"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/envoy-wasm/shared"
)

// route is a gate with what this host adds to it. It has one of the stores, or
// none where nothing is claimed.
type route struct {
	index   int
	gate    *core.Gate
	store   *shared.Store
	remote  *remote
	replay  core.Replay
	metrics gateMetrics
	// What is logged of rejections, and of the store's failures.
	rejections, failures core.Sampler
}

func (p *plugin) makeRoutes(defaultStore string) error {
	var errs []error
	stores := storesOf{plugin: p, shared: map[int]*shared.Store{}, remote: map[core.HTTPStore]*remote{}}
	for i, gate := range p.router.Gates() {
		r := &route{index: i, gate: gate, replay: gate.Replay()}
		p.routes = append(p.routes, r)
		if !r.replay.Off && !gate.ReportOnly() {
			place, config := "routes["+strconv.Itoa(i)+"].replay.store", r.replay.Store
			if config == "" {
				place, config = "replay.store", defaultStore
			}
			if err := stores.give(r, place, config); err != nil {
				errs = append(errs, err)
				continue
			}
		}
		r.metrics = newGateMetrics(&p.metrics, r)
	}
	return errors.Join(errs...)
}

// storesOf are a plugin's stores. Gates whose stores are configured alike share
// one.
type storesOf struct {
	plugin *plugin
	shared map[int]*shared.Store
	remote map[core.HTTPStore]*remote
}

func (s *storesOf) give(r *route, place, config string) error {
	if core.StoreModule(config) == "http" {
		c, err := core.ParseHTTPStore(place, config, syscall.Getenv)
		if err != nil {
			return err
		}
		if s.remote[c] == nil {
			s.remote[c] = s.plugin.addRemote(place, c)
		}
		r.remote = s.remote[c]
		return nil
	}
	c, err := core.ParseSharedStore(place, config)
	if err != nil {
		return err
	}
	if s.shared[c.MaxClaims] == nil {
		s.shared[c.MaxClaims] = s.plugin.metrics.addStore(c.MaxClaims)
	}
	r.store = s.shared[c.MaxClaims]
	return nil
}

func (p *plugin) addRemote(place string, c core.HTTPStore) *remote {
	if c.Literal {
		sayLiteral(place + ".token")
	}
	r := newRemote(p, c)
	p.remotes = append(p.remotes, r)
	return r
}

func (r *route) fields() []core.Field {
	return []core.Field{field("name", r.gate.Name()), field("provider", r.gate.Provider())}
}

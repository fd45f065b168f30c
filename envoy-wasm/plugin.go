package main

import (
	"syscall"
	"time"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/hookward/hookward/core"
)

// plugin is one configuration in one worker.
type plugin struct {
	router  *core.Router
	routes  []*route
	metrics registry
	log     sampler
	waiting waiting
	holding list
	closing bool // a newer configuration serves; old streams still run
}

// Ticks come fast until it is known that the host feeds us bodies, and then as
// often as metrics are worth writing.
const (
	fastTick = 200
	slowTick = 1000
)

// start reads the configuration. Envoy goes on with the old one when we refuse,
// and shows the reason in its log alone, so that all of it must be said there.
// It runs in machines, too, that never serve: it counts nothing.
func (p *plugin) start() (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			logError("configuration refused", field("panic", panicText(r)))
			ok = false
		}
	}()
	config, err := proxywasm.GetPluginConfiguration()
	if err != nil {
		logError("configuration refused: it can't be read; the filter needs one", field("error", err.Error()))
		return false
	}
	if err := p.load(config); err != nil {
		logError("configuration refused:\n" + err.Error())
		return false
	}
	if err := proxywasm.SetTickPeriodMilliSeconds(fastTick); err != nil {
		logError("configuration refused: the host has no ticks", field("error", err.Error()))
		return false
	}
	return true
}

func (p *plugin) load(config []byte) error {
	routes, err := core.ParseRoutes(config)
	if json, ok := structJSON(config); err != nil && ok {
		routes, err = core.ParseRoutes(json)
	}
	if err != nil {
		return err
	}
	literal := routes.LiteralSecrets()
	if routes, err = routes.Resolve(syscall.Getenv); err != nil {
		return err
	}
	if p.router, err = core.NewRouter(routes); err != nil {
		return err
	}
	if err := p.makeRoutes(routes.Store); err != nil {
		return err
	}
	p.sayNotes(literal)
	return nil
}

func (p *plugin) sayNotes(literal []string) {
	for _, r := range p.routes {
		for _, note := range r.gate.Notes() {
			logWarn(note, r.fields()...)
		}
	}
	for _, place := range literal {
		logWarn(place + " stands literally in the configuration, which /config_dump shows: use {env.NAME}, and give the variable to the filter by host_env_keys")
	}
}

func (p *plugin) newStream(id uint32) types.HttpContext {
	s := &stream{plugin: p, id: id}
	return &httpContext{call: s.call}
}

// tick does what need not be done for every request at once.
func (p *plugin) tick() {
	defer func() {
		if r := recover(); r != nil {
			logError("panic in a tick", field("panic", panicText(r)))
		}
	}()
	if p.waiting.look() {
		_ = proxywasm.SetTickPeriodMilliSeconds(slowTick)
	}
	p.renew(time.Now())
	p.metrics.flush()
}

// done says that no more ticks may come, though old streams still run.
func (p *plugin) done() {
	p.closing = true
	p.metrics.flush()
}

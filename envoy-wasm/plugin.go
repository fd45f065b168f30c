package main

import (
	"syscall"
	"time"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/envoy-wasm/bridge"
)

// plugin is one configuration in one worker.
type plugin struct {
	router  *core.Router
	routes  []*route
	metrics registry
	waiting waiting
	holding list
	remotes []*remote
	pace    pace
	memory  memory
	active  int  // streams at a gate
	debug   bool // the host keeps what is logged at debug
	closing bool // a newer configuration serves; old streams still run
}

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
	p.debug = bridge.LogsDebug()
	if err := p.load(config); err != nil {
		logError("configuration refused:\n" + err.Error())
		return false
	}
	if err := p.pace.start(); err != nil {
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
		sayLiteral(place)
	}
}

func sayLiteral(place string) {
	logWarn(place + " stands literally in the configuration, which /config_dump shows: use {env.NAME}, and give the variable to the filter by host_env_keys")
}

func (p *plugin) newStream(id uint32) types.HttpContext {
	return &newStream(p, id).context
}

// tick does what need not be done for every request at once.
func (p *plugin) tick() {
	defer func() {
		if r := recover(); r != nil {
			logError("panic in a tick", field("panic", panicText(r)))
		}
	}()
	faultInTick(p)
	now := time.Now()
	for _, r := range p.remotes { // before an answer to a stream makes that the active context
		r.send(now)
	}
	if p.pace.isTime(now) {
		p.keep(now)
	}
	p.pace.relax(now)
	for _, r := range p.remotes {
		r.wake(now)
	}
	p.pace.apply()
	if p.closing && p.active == 0 && p.remotesIdle() {
		p.closing = false
		proxywasm.PluginDone()
	}
}

// keep does what is worth doing once in a while.
func (p *plugin) keep(now time.Time) {
	if p.waiting.look() {
		p.pace.usual = p.slowest()
	}
	p.renew(now)
	p.metrics.flush()
	p.debug = bridge.LogsDebug()
}

// slowest is how seldom ticks may come: a lease is begun anew when half of it is
// over, and the tick that does so has to come before its end.
func (p *plugin) slowest() time.Duration {
	slowest := slowTick
	for _, r := range p.routes {
		if r.store != nil || r.remote != nil {
			slowest = min(slowest, r.replay.Lease/4)
		}
	}
	return slowest
}

// done says that no more ticks may come, though old streams still run. With a
// remote store they do come, and the plugin stays, until nothing needs it: calls
// on their way would be cancelled with it, and their requests wait in vain.
func (p *plugin) done() bool {
	p.closing = true
	p.metrics.flush()
	if len(p.remotes) == 0 {
		return true
	}
	p.pace.within(fastTick)
	return false
}

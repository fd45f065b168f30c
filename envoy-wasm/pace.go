package main

import (
	"time"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
)

// pace is how often ticks come. House is kept fast until it is known that the
// host feeds us bodies, and then as often as metrics are worth writing; a store
// that has something to send wants one sooner.
type pace struct {
	usual  time.Duration
	next   time.Time // for keeping house
	period time.Duration
	given  time.Duration // the period that the host has
}

const (
	fastTick = 200 * time.Millisecond
	slowTick = time.Second
)

func (p *pace) start() error {
	p.usual, p.period, p.given = fastTick, fastTick, fastTick
	return proxywasm.SetTickPeriodMilliSeconds(uint32(fastTick.Milliseconds()))
}

// isTime says that house is to be kept now.
func (p *pace) isTime(now time.Time) bool {
	if now.Before(p.next) {
		return false
	}
	p.next = now.Add(p.usual)
	return true
}

// relax lets the next tick come only when house is to be kept.
func (p *pace) relax(now time.Time) { p.period = inMilliseconds(p.next.Sub(now)) }

// within sees to a tick within d.
func (p *pace) within(d time.Duration) {
	if d = inMilliseconds(d); d < p.period {
		p.period = d
		p.apply()
	}
}

// apply tells the host, which begins the period anew.
func (p *pace) apply() {
	if p.period != p.given && proxywasm.SetTickPeriodMilliSeconds(uint32(p.period.Milliseconds())) == nil {
		p.given = p.period
	}
}

// inMilliseconds rounds up: a period of 0 would end the ticks.
func inMilliseconds(d time.Duration) time.Duration {
	return max(time.Millisecond, (d+time.Millisecond-1)/time.Millisecond*time.Millisecond)
}

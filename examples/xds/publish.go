package main

import (
	"context"
	"slices"
	"time"

	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
)

// patience is how long an Envoy may take to accept a change, DNS included.
const patience = 20 * time.Second

// publisher brings a fleet from one configuration to the next.
type publisher struct {
	cache cache.SnapshotCache
	fleet *fleet
	node  string
	wasm  string
	// serving is the last configuration that no Envoy refused.
	serving *Config
}

// publish changes the fleet's configuration, step by step, so that no gate ever
// opens on a backend that isn't there. If an Envoy refuses a step, all go back
// to what they had.
func (p *publisher) publish(ctx context.Context, next *Config) error {
	steps, err := p.steps(next)
	if err != nil {
		return err
	}
	for _, step := range steps {
		if err := p.take(ctx, step); err != nil {
			p.goBack(ctx)
			return err
		}
	}
	p.serving = next
	return nil
}

// steps are: new backends beside the old ones, new gates, old backends gone. A
// step that changes nothing takes no time.
func (p *publisher) steps(next *Config) ([]*cache.Snapshot, error) {
	type step struct{ behind, gates *Config }
	steps := []step{{next, next}}
	if p.serving != nil {
		wide := *next
		wide.Endpoints = slices.Concat(next.Endpoints, p.serving.Endpoints)
		wide.maxBody = max(next.maxBody, p.serving.maxBody)
		steps = []step{{&wide, p.serving}, {&wide, next}, {next, next}}
	}
	var snapshots []*cache.Snapshot
	for _, s := range steps {
		snapshot, err := Snapshot(s.behind, s.gates, p.wasm)
		if err != nil {
			return nil, err
		}
		snapshots = append(snapshots, snapshot)
	}
	return snapshots, nil
}

func (p *publisher) take(ctx context.Context, s *cache.Snapshot) error {
	if err := p.cache.SetSnapshot(ctx, p.node, s); err != nil {
		return err
	}
	return p.fleet.await(ctx, s, patience)
}

func (p *publisher) goBack(ctx context.Context) {
	if p.serving == nil {
		return
	}
	if s, err := Snapshot(p.serving, p.serving, p.wasm); err == nil {
		_ = p.take(ctx, s)
	}
}

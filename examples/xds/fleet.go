package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// fleet knows what each connected Envoy has accepted.
type fleet struct {
	log     *slog.Logger
	cluster string // node.cluster of its Envoys
	mu      sync.Mutex
	envoys  map[int64]map[resource.Type]*answer
	changed chan struct{} // closed and made anew at each change
}

// answer is what an Envoy says of one type.
type answer struct {
	sent, accepted string
	refusal        string // of what was sent last
}

func newFleet(log *slog.Logger, cluster string) *fleet {
	return &fleet{log: log, cluster: cluster, envoys: map[int64]map[resource.Type]*answer{}, changed: make(chan struct{})}
}

// callbacks are what the server tells the fleet.
func (f *fleet) callbacks() server.Callbacks {
	return server.CallbackFuncs{
		StreamRequestFunc: f.asked,
		StreamResponseFunc: func(_ context.Context, id int64, _ *discoveryv3.DiscoveryRequest, r *discoveryv3.DiscoveryResponse) {
			f.note(id, r.GetTypeUrl(), func(a *answer) { a.sent, a.refusal = r.GetVersionInfo(), "" })
		},
		StreamClosedFunc: func(id int64, node *corev3.Node) {
			f.log.Info("an Envoy has gone", "node", node.GetId())
			f.forget(id)
		},
	}
}

// asked notes what an Envoy says of the last answer when it asks for the next.
func (f *fleet) asked(id int64, r *discoveryv3.DiscoveryRequest) error {
	if cluster := r.GetNode().GetCluster(); cluster != f.cluster {
		return status.Errorf(codes.PermissionDenied, "node.cluster is %q, and %q is served", cluster, f.cluster)
	}
	refusal := r.GetErrorDetail().GetMessage()
	f.note(id, r.GetTypeUrl(), func(a *answer) { a.accepted, a.refusal = r.GetVersionInfo(), refusal })
	if r.GetErrorDetail() != nil {
		f.log.Error("an Envoy refuses and goes on with what it had", "node", r.GetNode().GetId(), "type", r.GetTypeUrl(), "reason", refusal)
		// The next answer may well be the same: don't let the two spin.
		time.Sleep(time.Second)
	}
	return nil
}

func (f *fleet) note(id int64, typ resource.Type, change func(*answer)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.envoys[id] == nil {
		f.envoys[id] = map[resource.Type]*answer{}
	}
	if f.envoys[id][typ] == nil {
		f.envoys[id][typ] = &answer{}
	}
	change(f.envoys[id][typ])
	f.tell()
}

func (f *fleet) forget(id int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.envoys, id)
	f.tell()
}

func (f *fleet) tell() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// await waits until every connected Envoy has accepted a snapshot. It is an
// error if one refuses it; one that says nothing is not waited for long.
func (f *fleet) await(ctx context.Context, s cache.ResourceSnapshot, patience time.Duration) error {
	timeout := time.After(patience)
	for {
		waiting, changed, err := f.standing(s)
		if err != nil || waiting == 0 {
			return err
		}
		select {
		case <-changed:
		case <-timeout:
			f.log.Warn("some Envoys don't answer; they get the newest when they do", "number", waiting)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// standing counts the Envoys that have not accepted a snapshot yet.
func (f *fleet) standing(s cache.ResourceSnapshot) (waiting int, changed <-chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, answers := range f.envoys {
		accepted := 0
		for _, typ := range servedTypes {
			version := s.GetVersion(typ)
			switch a := answers[typ]; {
			case a == nil:
			case a.refusal != "" && a.sent == version:
				err = fmt.Errorf("an Envoy refuses it: %s", a.refusal)
			case a.accepted == version:
				accepted++
			}
		}
		if accepted < len(servedTypes) {
			waiting++
		}
	}
	return waiting, f.changed, err
}

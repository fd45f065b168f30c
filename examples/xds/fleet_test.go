package main

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
)

// ask is an Envoy that asks for more of a type: it has accepted a version, and
// may refuse what was sent after it.
func ask(t *testing.T, f *fleet, typ, accepted, refusal string) {
	t.Helper()
	r := &discoveryv3.DiscoveryRequest{Node: &corev3.Node{Id: "envoy-1", Cluster: "ours"}, TypeUrl: typ, VersionInfo: accepted}
	if refusal != "" {
		r.ErrorDetail = &status.Status{Message: refusal}
	}
	if err := f.callbacks().OnStreamRequest(1, r); err != nil {
		t.Error(err)
	}
}

func answerAll(f *fleet, s *cache.Snapshot) {
	for _, typ := range servedTypes {
		f.callbacks().OnStreamResponse(context.Background(), 1, nil, &discoveryv3.DiscoveryResponse{TypeUrl: typ, VersionInfo: s.GetVersion(typ)})
	}
}

func TestFleetAwaits(t *testing.T) {
	c, err := parse(t, twoEndpoints)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Snapshot(c, c, "/hookward.wasm")
	if err != nil {
		t.Fatal(err)
	}
	f := newFleet(slog.New(slog.NewTextHandler(io.Discard, nil)), "ours")
	if err := f.await(t.Context(), s, time.Hour); err != nil {
		t.Errorf("nobody is there: %v", err)
	}

	for _, typ := range servedTypes {
		ask(t, f, typ, "", "")
	}
	if err := f.await(t.Context(), s, time.Millisecond); err != nil {
		t.Errorf("an Envoy says nothing: %v", err)
	}

	answerAll(f, s)
	go func() {
		for _, typ := range servedTypes {
			ask(t, f, typ, s.GetVersion(typ), "")
		}
	}()
	if err := f.await(t.Context(), s, time.Hour); err != nil {
		t.Errorf("an Envoy accepts: %v", err)
	}

	next, err := Snapshot(c, c, "/another.wasm")
	if err != nil {
		t.Fatal(err)
	}
	answerAll(f, next)
	go ask(t, f, servedTypes[3], s.GetVersion(servedTypes[3]), "no such module")
	if err := f.await(t.Context(), next, time.Hour); err == nil || !strings.Contains(err.Error(), "no such module") {
		t.Errorf("an Envoy refuses: %v", err)
	}
	if err := f.await(t.Context(), s, time.Hour); err != nil {
		t.Errorf("back to what it has: %v", err)
	}

	f.callbacks().OnStreamClosed(1, nil)
	if err := f.await(t.Context(), next, time.Hour); err != nil {
		t.Errorf("it has gone: %v", err)
	}
}

func TestFleetSendsStrangersAway(t *testing.T) {
	f := newFleet(slog.New(slog.NewTextHandler(io.Discard, nil)), "ours")
	err := f.callbacks().OnStreamRequest(1, &discoveryv3.DiscoveryRequest{Node: &corev3.Node{Cluster: "theirs"}})
	if err == nil || !strings.Contains(err.Error(), `node.cluster is "theirs", and "ours" is served`) {
		t.Errorf("a stranger: %v", err)
	}
	if len(f.envoys) != 0 {
		t.Error("a stranger is waited for")
	}
}

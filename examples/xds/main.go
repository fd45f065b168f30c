// Xds is a control plane for a fleet of Envoys with Hookward's filter: it serves
// listener, routes and clusters by ADS, and the gates by ECDS, from one file
// that people edit. Secrets rotate and routes change while requests flow. The
// README says how to run it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/sotw/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:18000", "address at which Envoys ask")
	node := flag.String("node", "hookward", "node.cluster of the Envoys that are served")
	config := flag.String("config", "hookward.yaml", "configuration, watched")
	wasm := flag.String("wasm", "/etc/envoy/hookward.wasm", "path of hookward.wasm on Envoy's machine")
	tls := flag.String("tls", "", "folder with tls.crt, tls.key and ca.crt: Envoys must show a certificate of this CA")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *node, *config, *wasm, *tls); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, node, config, wasm, tlsFolder string) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	credentials, err := serverCredentials(listen, tlsFolder)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fleet := newFleet(log, node)
	snapshots := cache.NewSnapshotCache(true, byCluster{}, nil)
	s := grpc.NewServer(grpc.Creds(credentials), grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second}))
	// Ordered: a backend's route must be there before its gate.
	discoveryv3.RegisterAggregatedDiscoveryServiceServer(s, server.NewServer(ctx, snapshots, fleet.callbacks(), sotw.WithOrderedADS()))
	go watch(ctx, log, config, &publisher{cache: snapshots, fleet: fleet, node: node, wasm: wasm})
	context.AfterFunc(ctx, s.Stop)
	log.Info("listening", "address", l.Addr())
	return s.Serve(l)
}

// byCluster serves all Envoys of one cluster alike.
type byCluster struct{}

func (byCluster) ID(n *corev3.Node) string { return n.GetCluster() }

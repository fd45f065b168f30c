package main

import (
	"fmt"
	"hash/maphash"
	"net/netip"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	wasmfilterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/wasm/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	wasmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/wasm/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/hookward/hookward/examples/xds/valid"
)

// What Envoy calls the listener and its routes, and the filter.
const (
	listenerName = "hooks"
	filterName   = "hookward"
)

// servedTypes are the types of the resources that are served.
var servedTypes = []resource.Type{resource.ClusterType, resource.ListenerType, resource.RouteType, resource.ExtensionConfigType}

// Snapshot is all that an Envoy gets: the listener and what stands behind the
// gates, and the gates. wasm is the module's path on Envoy's machine.
func Snapshot(behind, gates *Config, wasm string) (*cache.Snapshot, error) {
	resources := map[resource.Type][]types.Resource{
		resource.ClusterType:         clusters(behind.Endpoints),
		resource.ListenerType:        {listener(behind)},
		resource.RouteType:           {routes(behind.Endpoints)},
		resource.ExtensionConfigType: {filter(gates, wasm)},
	}
	snapshot := &cache.Snapshot{}
	for typ, list := range resources {
		version, err := checkedVersion(list)
		if err != nil {
			return nil, err
		}
		snapshot.Resources[cache.GetResponseType(typ)] = cache.NewResources(version, list)
	}
	return snapshot, snapshot.Consistent()
}

// seed makes versions of this process differ from any other's, and keeps them
// from telling what they are made of: there are secrets in it.
var seed = maphash.MakeSeed()

// checkedVersion checks resources and names them by what they are: what has not
// changed is not sent again, and going back is going to the old version.
func checkedVersion(list []types.Resource) (string, error) {
	var hash maphash.Hash
	hash.SetSeed(seed)
	for _, r := range list {
		if err := valid.Check(r); err != nil {
			return "", err
		}
		data, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
		if err != nil {
			return "", err
		}
		hash.Write(data)
	}
	return fmt.Sprintf("%016x", hash.Sum64()), nil
}

func clusters(endpoints []Endpoint) (list []types.Resource) {
	seen := map[string]bool{}
	for _, e := range endpoints {
		if !seen[e.Backend] {
			list = append(list, cluster(e.Backend))
		}
		seen[e.Backend] = true
	}
	return list
}

func cluster(backend string) *clusterv3.Cluster {
	host, port, _ := splitAddress(backend)
	discovery := clusterv3.Cluster_STRICT_DNS
	if _, err := netip.ParseAddr(host); err == nil {
		discovery = clusterv3.Cluster_STATIC
	}
	return &clusterv3.Cluster{
		Name:                 backend,
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: discovery},
		ConnectTimeout:       durationpb.New(2 * time.Second),
		LoadAssignment: &endpointv3.ClusterLoadAssignment{
			ClusterName: backend,
			Endpoints: []*endpointv3.LocalityLbEndpoints{{LbEndpoints: []*endpointv3.LbEndpoint{{
				HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: address(host, port)}},
			}}}},
		},
	}
}

// routes sends a request where its gate says that it belongs: the gate sets
// X-Hookward-Endpoint, and removes what a client sends under that name. What
// has not come through a gate finds no route.
func routes(endpoints []Endpoint) *routev3.RouteConfiguration {
	host := &routev3.VirtualHost{Name: "all", Domains: []string{"*"}}
	seen := map[string]bool{}
	for _, e := range endpoints {
		if !seen[e.name] {
			host.Routes = append(host.Routes, route(e))
		}
		seen[e.name] = true
	}
	return &routev3.RouteConfiguration{Name: listenerName, VirtualHosts: []*routev3.VirtualHost{host}}
}

func route(e Endpoint) *routev3.Route {
	exactly := &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: e.name}}
	return &routev3.Route{
		Match: &routev3.RouteMatch{
			PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: "/"},
			Headers: []*routev3.HeaderMatcher{{
				Name:                 "X-Hookward-Endpoint",
				HeaderMatchSpecifier: &routev3.HeaderMatcher_StringMatch{StringMatch: exactly},
			}},
		},
		Action: &routev3.Route_Route{Route: &routev3.RouteAction{
			ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: e.Backend},
		}},
	}
}

func listener(c *Config) *listenerv3.Listener {
	host, port, _ := splitAddress(c.Listen)
	return &listenerv3.Listener{
		Name:    listenerName,
		Address: address(host, port),
		// A body may grow when it is normalized.
		PerConnectionBufferLimitBytes: wrapperspb.UInt32(uint32(4 * c.maxBody)),
		FilterChains: []*listenerv3.FilterChain{{Filters: []*listenerv3.Filter{{
			Name:       "envoy.filters.network.http_connection_manager",
			ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: pack(connectionManager())},
		}}}},
	}
}

func connectionManager() *hcmv3.HttpConnectionManager {
	return &hcmv3.HttpConnectionManager{
		StatPrefix: "hooks",
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{Rds: &hcmv3.Rds{
			RouteConfigName: listenerName, ConfigSource: fromADS(),
		}},
		UseRemoteAddress:             wrapperspb.Bool(true),
		NormalizePath:                wrapperspb.Bool(true),
		MergeSlashes:                 true,
		PathWithEscapedSlashesAction: hcmv3.HttpConnectionManager_REJECT_REQUEST,
		CommonHttpProtocolOptions:    &corev3.HttpProtocolOptions{HeadersWithUnderscoresAction: corev3.HttpProtocolOptions_REJECT_REQUEST},
		RequestTimeout:               durationpb.New(30 * time.Second),
		RequestHeadersTimeout:        durationpb.New(10 * time.Second),
		HttpFilters: []*hcmv3.HttpFilter{
			{Name: "envoy.filters.http.lua", ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: pack(fillEmpty())}},
			{Name: filterName, ConfigType: &hcmv3.HttpFilter_ConfigDiscovery{ConfigDiscovery: discovered()}},
			{Name: "envoy.filters.http.router", ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: pack(&routerv3.Router{SuppressEnvoyHeaders: true})}},
		},
	}
}

// fillEmpty gives a request without a body a space, which the gate takes for
// none: Envoy lets no filter write a body where there is none.
func fillEmpty() *luav3.Lua {
	const source = `
function envoy_on_request(handle)
  local header = handle:headers()
  if header:get(":method") == "GET" or header:get("content-length") == "0" then
    local body = handle:body(true)
    if body:length() == 0 then body:setBytes(" ") end
  end
end
`
	return &luav3.Lua{DefaultSourceCode: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: source}}}
}

// discovered says that the filter comes by ECDS, and that there is no listening
// before it is there.
func discovered() *corev3.ExtensionConfigSource {
	return &corev3.ExtensionConfigSource{
		ConfigSource: fromADS(),
		TypeUrls:     []string{resource.APITypePrefix + string((&wasmfilterv3.Wasm{}).ProtoReflect().Descriptor().FullName())},
	}
}

func fromADS() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
		ResourceApiVersion:    corev3.ApiVersion_V3,
		InitialFetchTimeout:   durationpb.New(0), // wait, however long it takes
	}
}

// filter is the gates: the only resource that has secrets in it.
func filter(c *Config, wasm string) *corev3.TypedExtensionConfig {
	code := &corev3.DataSource{Specifier: &corev3.DataSource_Filename{Filename: wasm}}
	return &corev3.TypedExtensionConfig{Name: filterName, TypedConfig: pack(&wasmfilterv3.Wasm{Config: &wasmv3.PluginConfig{
		Name:   filterName,
		RootId: filterName,
		Vm: &wasmv3.PluginConfig_VmConfig{VmConfig: &wasmv3.VmConfig{
			VmId:                 filterName, // and with it the claims: never change it
			Runtime:              "envoy.wasm.runtime.v8",
			Code:                 &corev3.AsyncDataSource{Specifier: &corev3.AsyncDataSource_Local{Local: code}},
			EnvironmentVariables: &wasmv3.EnvironmentVariables{HostEnvKeys: c.variables},
		}},
		Configuration:               pack(wrapperspb.String(c.gates)),
		FailurePolicy:               wasmv3.FailurePolicy_FAIL_RELOAD,
		AllowOnHeadersStopIteration: wrapperspb.Bool(true),
	}})}
}

func address(host string, port uint32) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address: host, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
	}}}
}

// pack can fail only for text that is not UTF-8, and a configuration that has
// any is refused before.
func pack(m proto.Message) *anypb.Any {
	packed, err := anypb.New(m)
	if err != nil {
		panic(err)
	}
	return packed
}

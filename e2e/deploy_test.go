package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	wasmfilterv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/wasm/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/examples/xds/valid"
)

// resource is an object of Kubernetes.
type resource struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name, Namespace string }
	Spec       yaml.Node
}

// resources reads an example's file.
func resources(t *testing.T, path string) (all []resource) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(hosts.Root(t), "examples", path))
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	for {
		var r resource
		if err := decoder.Decode(&r); errors.Is(err, io.EOF) {
			return all
		} else if err != nil || r.APIVersion == "" || r.Kind == "" || r.Metadata.Name == "" || r.Metadata.Namespace == "" {
			t.Fatalf("%s: %v: %+v", path, err, r)
		}
		all = append(all, r)
	}
}

// specOf reads the spec of the only resource of a kind.
func specOf(t *testing.T, all []resource, kind string, spec any) {
	t.Helper()
	i := slices.IndexFunc(all, func(r resource) bool { return r.Kind == kind })
	if i < 0 {
		t.Fatalf("no %s", kind)
	}
	if err := all[i].Spec.Decode(spec); err != nil {
		t.Fatal(err)
	}
}

// envoyPart reads a part of Envoy's configuration as Envoy's type; an unknown
// field is an error.
func envoyPart[M proto.Message](t *testing.T, value any, m M) M {
	t.Helper()
	if err := protojson.Unmarshal([]byte(toJSON(t, value)), m); err != nil {
		t.Fatal(err)
	}
	return m
}

// envoyValue is envoyPart for what is complete: it must be good by Envoy's rules.
func envoyValue[M proto.Message](t *testing.T, value any, m M) M {
	t.Helper()
	if err := valid.Check(envoyPart(t, value, m)); err != nil {
		t.Fatal(err)
	}
	return m
}

// cluster is what a controller makes before any patch: Envoy with small buffers
// and a backend.
func cluster(t *testing.T, backend *hosts.Backend) *bootstrapv3.Bootstrap {
	t.Helper()
	listener := hosts.Listener("hooks", "backend")
	listener["per_connection_buffer_limit_bytes"] = 32 << 10
	plain := hosts.Bootstrap([]object{listener}, hosts.Cluster("backend", backend.Address))
	delete(plain, "stats_config")
	return envoyValue(t, plain, &bootstrapv3.Bootstrap{})
}

// TestIstioExample applies the EnvoyFilter as Istio does, to a real Envoy.
func TestIstioExample(t *testing.T) {
	var spec struct {
		WorkloadSelector object `yaml:"workloadSelector"`
		ConfigPatches    []struct {
			ApplyTo string `yaml:"applyTo"`
			Match   object
			Patch   struct {
				Operation string
				Value     object
			}
		} `yaml:"configPatches"`
	}
	specOf(t, resources(t, "istio/envoyfilter.yaml"), "EnvoyFilter", &spec)
	backend := hosts.StartBackend(t)
	istio := istioProxy{bootstrap: cluster(t, backend), extensions: map[string]*corev3.TypedExtensionConfig{}, module: hosts.BuildWasm(t, "./envoy-wasm")}
	for _, p := range spec.ConfigPatches {
		istio.apply(t, p.ApplyTo+" "+p.Patch.Operation, p.Patch.Value)
	}
	if len(istio.extensions) != 1 || len(istio.manager(t).HttpFilters) != 3 {
		t.Fatalf("%d extensions, %d filters", len(istio.extensions), len(istio.manager(t).HttpFilters))
	}
	gateDeployed(t, backend, istio.bootstrap)
}

// istioProxy is Envoy's configuration in Istio's hands.
type istioProxy struct {
	bootstrap  *bootstrapv3.Bootstrap
	extensions map[string]*corev3.TypedExtensionConfig
	module     string
}

func (p *istioProxy) listener() *listenerv3.Listener { return p.bootstrap.StaticResources.Listeners[0] }

func (p *istioProxy) manager(t *testing.T) *hcmv3.HttpConnectionManager {
	t.Helper()
	manager := &hcmv3.HttpConnectionManager{}
	if err := p.listener().FilterChains[0].Filters[0].GetTypedConfig().UnmarshalTo(manager); err != nil {
		t.Fatal(err)
	}
	return manager
}

func (p *istioProxy) setManager(t *testing.T, manager *hcmv3.HttpConnectionManager) {
	t.Helper()
	p.listener().FilterChains[0].Filters[0].ConfigType = &listenerv3.Filter_TypedConfig{TypedConfig: packed(t, manager)}
}

func (p *istioProxy) apply(t *testing.T, what string, value object) {
	t.Helper()
	switch what {
	case "EXTENSION_CONFIG ADD":
		extension := envoyValue(t, value, &corev3.TypedExtensionConfig{})
		p.extensions[extension.Name] = p.fetched(t, extension)
	case "HTTP_FILTER INSERT_BEFORE":
		manager := p.manager(t)
		last := len(manager.HttpFilters) - 1 // the router
		manager.HttpFilters = slices.Insert(manager.HttpFilters, last, p.discovered(t, envoyValue(t, value, &hcmv3.HttpFilter{})))
		p.setManager(t, manager)
	case "NETWORK_FILTER MERGE":
		manager, patch := p.manager(t), &hcmv3.HttpConnectionManager{}
		if err := envoyPart(t, value, &listenerv3.Filter{}).GetTypedConfig().UnmarshalTo(patch); err != nil {
			t.Fatal(err)
		}
		proto.Merge(manager, patch)
		p.setManager(t, manager)
	case "LISTENER MERGE":
		proto.Merge(p.listener(), envoyValue(t, value, &listenerv3.Listener{}))
	case "BOOTSTRAP MERGE":
		proto.Merge(p.bootstrap, envoyValue(t, value, &bootstrapv3.Bootstrap{}))
	default:
		t.Fatalf("unknown patch %s", what)
	}
}

// fetched does as Istio's agent: it replaces the module's address by a file.
func (p *istioProxy) fetched(t *testing.T, extension *corev3.TypedExtensionConfig) *corev3.TypedExtensionConfig {
	t.Helper()
	filter := &wasmfilterv3.Wasm{}
	if err := extension.TypedConfig.UnmarshalTo(filter); err != nil {
		t.Fatal(err)
	}
	code := filter.Config.GetVmConfig().GetCode()
	if uri := code.GetRemote().GetHttpUri().GetUri(); !strings.HasPrefix(uri, "oci://") || !strings.Contains(uri, "@sha256:") {
		t.Errorf("the module's image %q is not pinned", uri)
	}
	code.Specifier = &corev3.AsyncDataSource_Local{Local: &corev3.DataSource{Specifier: &corev3.DataSource_Filename{Filename: p.module}}}
	extension.TypedConfig = packed(t, filter)
	return extension
}

// discovered puts the extension where the filter asks for it.
func (p *istioProxy) discovered(t *testing.T, filter *hcmv3.HttpFilter) *hcmv3.HttpFilter {
	t.Helper()
	discovery := filter.GetConfigDiscovery()
	if discovery == nil {
		return filter
	}
	config := p.extensions[filter.Name].GetTypedConfig()
	if !slices.Contains(discovery.TypeUrls, config.GetTypeUrl()) {
		t.Fatalf("the filter %s wants %q and gets %q", filter.Name, discovery.TypeUrls, config.GetTypeUrl())
	}
	filter.ConfigType = &hcmv3.HttpFilter_TypedConfig{TypedConfig: config}
	return filter
}

func packed(t *testing.T, m proto.Message) *anypb.Any {
	t.Helper()
	a, err := anypb.New(m)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestEnvoyGatewayExample applies the EnvoyPatchPolicy as Envoy Gateway does, to
// a real Envoy.
func TestEnvoyGatewayExample(t *testing.T) {
	all := resources(t, "envoy-gateway/hookward.yaml")
	var policy struct {
		JSONPatches []struct {
			Type, Name string
			Operation  struct {
				Op, Path string
				Value    object
			}
		} `yaml:"jsonPatches"`
	}
	specOf(t, all, "EnvoyPatchPolicy", &policy)
	if len(policy.JSONPatches) != 2 {
		t.Fatalf("%d patches", len(policy.JSONPatches))
	}
	backend := hosts.StartBackend(t)
	bootstrap := cluster(t, backend)
	listener := gatewayListener(t, bootstrap.StaticResources.Listeners[0])
	for _, p := range policy.JSONPatches {
		if p.Type != "type.googleapis.com/envoy.config.listener.v3.Listener" || p.Operation.Op != "add" {
			t.Fatalf("unknown patch %+v", p)
		}
		add(t, listener, strings.Split(p.Operation.Path, "/")[1:], p.Operation.Value)
	}
	text := strings.ReplaceAll(toJSON(t, listener), "/etc/envoy/hookward.wasm", hosts.BuildWasm(t, "./envoy-wasm"))
	bootstrap.StaticResources.Listeners[0] = envoyValue(t, json.RawMessage(text), &listenerv3.Listener{})
	applyGatewayPolicies(t, all, bootstrap)
	gateDeployed(t, backend, bootstrap)
}

// gatewayListener is a listener without TLS as Envoy Gateway lays it out.
func gatewayListener(t *testing.T, listener *listenerv3.Listener) (laidOut object) {
	t.Helper()
	listener.DefaultFilterChain, listener.FilterChains = listener.FilterChains[0], nil
	text, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(listener)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &laidOut); err != nil {
		t.Fatal(err)
	}
	return laidOut
}

// add is JSON Patch's add into a list.
func add(t *testing.T, document object, path []string, value object) {
	t.Helper()
	place, key := any(document), path[len(path)-2]
	for _, step := range path[:len(path)-2] {
		switch v := place.(type) {
		case object:
			place = v[step]
		case []any:
			place = v[number(t, step)]
		}
	}
	parent, ok := place.(object)
	if !ok {
		t.Fatalf("nothing is at %q", path)
	}
	list, ok := parent[key].([]any)
	if !ok {
		t.Fatalf("no list is at %q", path)
	}
	parent[key] = slices.Insert(list, number(t, path[len(path)-1]), any(value))
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// applyGatewayPolicies does what the example's other resources ask for.
func applyGatewayPolicies(t *testing.T, all []resource, bootstrap *bootstrapv3.Bootstrap) {
	t.Helper()
	var envoy struct{ Bootstrap struct{ Type, Value string } }
	specOf(t, all, "EnvoyProxy", &envoy)
	var value object
	if err := yaml.Unmarshal([]byte(envoy.Bootstrap.Value), &value); err != nil || envoy.Bootstrap.Type != "Merge" {
		t.Fatalf("bootstrap %s: %v", envoy.Bootstrap.Type, err)
	}
	proto.Merge(bootstrap, envoyValue(t, value, &bootstrapv3.Bootstrap{}))
	var traffic struct {
		Connection struct {
			BufferLimit string `yaml:"bufferLimit"`
		}
		Path struct {
			EscapedSlashesAction string `yaml:"escapedSlashesAction"`
		}
	}
	specOf(t, all, "ClientTrafficPolicy", &traffic)
	if traffic.Connection.BufferLimit != "16Mi" || traffic.Path.EscapedSlashesAction != "RejectRequest" {
		t.Fatalf("%+v", traffic)
	}
	listener := bootstrap.StaticResources.Listeners[0]
	listener.PerConnectionBufferLimitBytes = wrapperspb.UInt32(16 << 20)
	filter := listener.DefaultFilterChain.Filters[0]
	manager := &hcmv3.HttpConnectionManager{}
	if err := filter.GetTypedConfig().UnmarshalTo(manager); err != nil {
		t.Fatal(err)
	}
	manager.PathWithEscapedSlashesAction = hcmv3.HttpConnectionManager_REJECT_REQUEST
	filter.ConfigType = &listenerv3.Filter_TypedConfig{TypedConfig: packed(t, manager)}
}

// TestExamplesFillEmptyRequestsAlike: the Lua that all examples need is one.
func TestExamplesFillEmptyRequestsAlike(t *testing.T) {
	code := regexp.MustCompile(`(?s)function envoy_on_request.*?setBytes\(" "\) end\s+end\s+end`)
	want := ""
	for _, path := range []string{"envoy/envoy.yaml", "istio/envoyfilter.yaml", "envoy-gateway/hookward.yaml", "xds/resources.go"} {
		got := strings.Join(strings.Fields(code.FindString(fileText(t, "examples/"+path))), " ")
		if want == "" {
			want = got
		}
		if got == "" || got != want {
			t.Errorf("%s has %q, want %q", path, got, want)
		}
	}
}

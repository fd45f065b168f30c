package valid

import (
	"strings"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

func TestCheck(t *testing.T) {
	noHost, err := anypb.New(&corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{}}})
	if err != nil {
		t.Fatal(err)
	}
	strange := &corev3.RuntimeUInt32{RuntimeKey: "key"}
	strange.ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 1000, protowire.VarintType), 1))
	for name, test := range map[string]struct {
		message proto.Message
		want    string
	}{
		"good":                  {&corev3.RuntimeUInt32{RuntimeKey: "key"}, ""},
		"wrong itself":          {&corev3.SocketAddress{}, "SocketAddress.Address"},
		"wrong where packed":    {&corev3.TypedExtensionConfig{Name: "x", TypedConfig: noHost}, "SocketAddress.Address"},
		"two mistakes":          {&corev3.TypedExtensionConfig{TypedConfig: noHost}, "TypedExtensionConfig.Name"},
		"packed deeper":         {&listenerv3.Filter{Name: "x", ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: noHost}}, "SocketAddress.Address"},
		"a type nobody knows":   {&corev3.TypedExtensionConfig{Name: "x", TypedConfig: &anypb.Any{TypeUrl: "type.googleapis.com/no.such"}}, "no.such"},
		"a field nobody knows":  {strange, "unknown fields"},
		"bytes that are no one": {&corev3.TypedExtensionConfig{Name: "x", TypedConfig: &anypb.Any{TypeUrl: noHost.TypeUrl, Value: []byte{0xff}}}, "cannot parse"},
	} {
		err := Check(test.message)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", name, err, test.want)
		}
	}
}

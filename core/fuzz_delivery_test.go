package core_test

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/core/provider"
	"github.com/hookward/hookward/core/unified"
)

// fuzzSecret is every fuzzed gate's secret.
const fuzzSecret = "a-secret-for-the-fuzzer-0123456789"

// fuzzRequest is what a stranger may choose of a request. Where sign is set the
// test signs it, as the provider would, so that what comes after is reached.
type fuzzRequest struct {
	provider                    *provider.Provider
	method, target, contentType string
	credential                  string // in the provider's last header
	body                        string
	sign                        bool
}

// addDeliveries gives f every request of every case, each as it is and signed
// anew.
func addDeliveries(f *testing.F) {
	all, err := cases.Load()
	if err != nil {
		f.Fatal(err)
	}
	known := provider.All()
	seen := map[string]bool{}
	for _, c := range all {
		config, err := core.ParseConfig(c.Config)
		if err != nil {
			f.Fatal(err)
		}
		seen[config.Provider] = true
		which := slices.IndexFunc(known, func(p *provider.Provider) bool { return p.Name == config.Provider })
		for _, s := range c.Steps {
			r, header := s.Request, fields(s.Request.Header)
			credential := ""
			for _, name := range known[which].Auth.Headers {
				credential += strings.Join(header.Values(name), "")
			}
			contentType := strings.Join(header.Values("Content-Type"), "")
			for _, options := range []uint8{0, fuzzSign, fuzzSign | fuzzOriginal} {
				f.Add(uint8(which), options, r.Method, r.Target, contentType, credential, r.Bytes())
			}
		}
	}
	for _, p := range known {
		if !seen[p.Name] {
			f.Fatalf("no case is about %s", p.Name)
		}
	}
}

// The options of a fuzzed delivery.
const (
	fuzzSign = 1 << iota
	fuzzOriginal
	fuzzAnyAge
	fuzzReportOnly
)

// FuzzDelivery: whatever comes, a gate does not panic; forwards only what a
// check of the test's own calls authentic; forwards JSON that keeps to the
// published schema; and says the same when it is asked again.
func FuzzDelivery(f *testing.F) {
	addDeliveries(f)
	schema := publishedSchema(f)
	gates := map[string]*core.Gate{}
	f.Fuzz(func(t *testing.T, which, options uint8, method, target, contentType, credential string, body []byte) {
		known := provider.All()
		r := &fuzzRequest{
			provider: known[int(which)%len(known)], method: method, target: target, contentType: contentType,
			credential: credential, body: string(body), sign: options&fuzzSign != 0,
		}
		gate := fuzzGate(t, gates, r.provider, options)
		v := r.judge(gate)
		if again := r.judge(gate); !reflect.DeepEqual(v, again) {
			t.Fatalf("asked again: %+v, first %+v", again, v)
		}
		checkVerdict(t, v)
		if v.Kind == core.Forward && v.Assurance != "none" && !r.authentic() {
			t.Fatalf("forwarded with assurance %s", v.Assurance)
		}
		if options&fuzzReportOnly != 0 && v.Kind != core.Forward && v.Outcome != core.Shaken && v.Code != core.HandshakeDenied {
			t.Fatalf("report_only, and yet %s %s", v.Outcome, v.Code)
		}
		if v.Rewrite {
			checkUnified(t, schema, v)
		}
		if r.sign && r.authentic() && slices.Contains(unauthentic, v.Code) {
			t.Fatalf("%s, though it is authentic", v.Code)
		}
	})
}

// unauthentic are the codes that what is well signed can't have.
var unauthentic = []core.Code{core.SignatureMissing, core.SignatureMalformed, core.SignatureMismatch}

func fuzzGate(t testing.TB, gates map[string]*core.Gate, p *provider.Provider, options uint8) *core.Gate {
	t.Helper()
	config := core.Config{Provider: p.Name, Secrets: []string{"an-old-secret-0123456789-0123456789", fuzzSecret}}
	config.ReportOnly = options&fuzzReportOnly != 0
	if options&fuzzOriginal != 0 {
		config.Output = "original"
	}
	if options&fuzzAnyAge != 0 {
		config.MaxAge = "off"
	}
	key, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	if gates[string(key)] == nil {
		if gates[string(key)], err = core.New(config); err != nil {
			t.Fatal(err)
		}
	}
	return gates[string(key)]
}

// judge takes the request through all steps; the store finds every event new.
func (r *fuzzRequest) judge(gate *core.Gate) *core.Verdict {
	check, v := gate.Begin(noon, core.Head{
		Method: r.method, Scheme: "https", Host: "example.com", Target: r.signedTarget(),
		Client: netip.MustParseAddr("192.0.2.1"), Header: r.header(), ContentLength: int64(len(r.body)),
		Instance: func() string { return instance },
	})
	if v == nil {
		v = check.Body([]byte(r.body), core.BodyComplete)
	}
	if v == nil {
		v = check.Claimed(slices.Repeat([]core.State{core.Claimed}, len(check.Keys())))
	}
	return v
}

func checkVerdict(t *testing.T, v *core.Verdict) {
	t.Helper()
	for _, field := range slices.Concat(v.Set, v.Header) {
		if strings.ContainsFunc(field.Name+field.Value, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("header field %q: %q", field.Name, field.Value)
		}
	}
	switch v.Kind {
	case core.Forward:
		if v.Status != 0 || v.Outcome != core.Accepted && v.Outcome != core.WouldReject {
			t.Fatalf("forwarded as %s with status %d", v.Outcome, v.Status)
		}
	case core.Refuse:
		checkRejection(t, v, v.Status == 429 || v.Status == 503)
	case core.Answer:
		if v.Status != 200 {
			t.Fatalf("%s answered with %d", v.Outcome, v.Status)
		}
	}
}

func publishedSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(unified.Schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func checkUnified(t *testing.T, schema *jsonschema.Schema, v *core.Verdict) {
	t.Helper()
	if !json.Valid(v.Body) || !utf8.Valid(v.Body) {
		t.Fatalf("forwarded what is no JSON: %q", v.Body)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(v.Body)))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(document); err != nil {
		t.Fatalf("%v\n%s", err, v.Body)
	}
	events := document.(map[string]any)["events"].([]any)
	if len(events) != len(v.Types) {
		t.Fatalf("%d events, %d types", len(events), len(v.Types))
	}
}

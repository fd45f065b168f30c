package core_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/core/provider"
)

// damages are what may stand in place of a member of a payload.
var damages = []string{`null`, `99999999999999999999`, `""`, `"é\u0000\ud800"`, `{"id":[]}`}

// TestDamagedPayloads sends every case's payload with one member taken away, or
// with something else in its place, well signed: a provider may change what it
// sends, and whatever comes keeps to the published schema.
func TestDamagedPayloads(t *testing.T) {
	all, err := cases.Load()
	if err != nil {
		t.Fatal(err)
	}
	schema := publishedSchema(t)
	gates := map[string]*core.Gate{}
	seen := map[string]bool{}
	for _, c := range all {
		config, err := core.ParseConfig(c.Config)
		if err != nil {
			t.Fatal(err)
		}
		p := provider.ByName(config.Provider)
		gate := fuzzGate(t, gates, p, fuzzAnyAge)
		for _, s := range c.Steps {
			contentType := strings.Join(fields(s.Request.Header).Values("Content-Type"), "")
			for body := range damaged(string(s.Request.Bytes())) {
				if key := p.Name + contentType + body; !seen[key] {
					seen[key] = true
					checkDamaged(t, schema, gate, &fuzzRequest{provider: p, method: "POST", target: "/hook", contentType: contentType, body: body, sign: true})
				}
			}
		}
	}
	if len(seen) < 10_000 {
		t.Errorf("only %d payloads", len(seen))
	}
}

func checkDamaged(t *testing.T, schema *jsonschema.Schema, gate *core.Gate, r *fuzzRequest) {
	t.Helper()
	v := r.judge(gate)
	checkVerdict(t, v)
	if slices.Contains(unauthentic, v.Code) && r.authentic() {
		t.Fatalf("%s: %s: %s", r.provider.Name, v.Code, r.body)
	}
	if v.Rewrite {
		checkUnified(t, schema, v)
	}
}

// damaged yields a payload's variants, and the payload itself.
func damaged(body string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		var v any
		d := json.NewDecoder(strings.NewReader(body))
		d.UseNumber()
		if d.Decode(&v) != nil {
			damagedForm(body, yield)
			return
		}
		damagedJSON(v, func() bool {
			text, err := json.Marshal(v)
			return err == nil && yield(string(text))
		})
	}
}

// damagedJSON changes every member of v in turn, and calls yield each time.
func damagedJSON(v any, yield func() bool) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range sortedKeys(v) {
			member := v[name]
			delete(v, name)
			if !yield() {
				return false
			}
			for _, damage := range damages {
				v[name] = json.RawMessage(damage)
				if !yield() {
					return false
				}
			}
			v[name] = member
			if !damagedJSON(member, yield) {
				return false
			}
		}
	case []any:
		for i, element := range v {
			for _, damage := range damages {
				v[i] = json.RawMessage(damage)
				if !yield() {
					return false
				}
			}
			v[i] = element
			if !damagedJSON(element, yield) {
				return false
			}
		}
	}
	return true
}

// damagedForm takes away, empties and repeats every parameter in turn; of a form
// that is there for its length, the first ones.
func damagedForm(body string, yield func(string) bool) {
	parts := strings.SplitN(body, "&", 50)
	for i, part := range parts {
		name, _, _ := strings.Cut(part, "=")
		for _, instead := range []string{"", name + "=", part + "&" + name + "=", name + "=-1", name + "=" + url.QueryEscape("é\x00\xff")} {
			if !yield(strings.Join(slices.Concat(parts[:i], []string{instead}, parts[i+1:]), "&")) {
				return
			}
		}
	}
}

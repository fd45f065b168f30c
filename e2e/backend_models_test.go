package e2e

import (
	"encoding/json"
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/hookward/hookward/core/unified"
)

// model is an object of the shape: its fields, and whether each is always there.
type model map[string]bool

// schemaModels are the objects of the JSON Schema, by their name in the models
// of the example backends.
func schemaModels(t *testing.T) map[string]model {
	t.Helper()
	type object struct {
		Properties map[string]json.RawMessage
		Required   []string
	}
	var schema struct {
		object
		Defs map[string]object `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(unified.Schema), &schema); err != nil {
		t.Fatal(err)
	}
	models := map[string]model{}
	for name, o := range map[string]object{
		"Delivery": schema.object, "Event": schema.Defs["event"], "Attachment": schema.Defs["attachment"],
		"Location": schema.Defs["location"], "Error": schema.Defs["error"],
	} {
		m := model{}
		for field := range o.Properties {
			m[field] = false
		}
		for _, field := range o.Required {
			m[field] = true
		}
		if len(m) < 2 {
			t.Fatalf("the schema's %s has %d fields", name, len(m))
		}
		models[name] = m
	}
	return models
}

// TestModelsAreTheSchema: what the example backends show of the shape is all of
// it, since people copy it.
func TestModelsAreTheSchema(t *testing.T) {
	want := schemaModels(t)
	for _, language := range []struct {
		file, object, field string
		// optional is what a field has, in its name or its type, that is not
		// always there.
		optional string
	}{
		{"go/model.go", `(?ms)^type (\w+) struct \{\n(.*?)^\}`, "(?m)^\t\\w+ .*`json:\"(\\w+.*)\"`", ",omitempty"},
		{"typescript/model.ts", `(?ms)^export interface (?:Provider)?(\w+) \{\n(.*?)^\}`, `(?m)^  (\w+\??):`, "?"},
		{"python/model.py", `(?m)^class (\w+)\(TypedDict\):\n((?:(?:    .*)?\n)+)`, `(?m)^    (\w+: (?:NotRequired)?)`, ": NotRequired"},
	} {
		got := map[string]model{}
		text := fileText(t, "examples/backends/"+language.file)
		for _, object := range regexp.MustCompile(language.object).FindAllStringSubmatch(text, -1) {
			m := model{}
			for _, field := range regexp.MustCompile(language.field).FindAllStringSubmatch(object[2], -1) {
				name, optional := strings.CutSuffix(field[1], language.optional)
				m[strings.TrimSuffix(name, ": ")] = !optional
			}
			got[object[1]] = m
		}
		for name, fields := range want {
			if !maps.Equal(got[name], fields) {
				t.Errorf("%s: %s is\n%v, the schema says\n%v", language.file, name, got[name], fields)
			}
		}
	}
}

package unified_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/core/unified"
)

// schemas are the published schema, which lets later releases add fields, and
// the same without that leave: what this release writes is all in it.
func schemas(t *testing.T) (published, strict *jsonschema.Schema) {
	t.Helper()
	return compile(t, parse(t, unified.Schema)), compile(t, closed(parse(t, unified.Schema)))
}

func compile(t *testing.T, document any) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// closed forbids what a schema does not name, wherever it names something, and
// numbers that begin with a plus and are none.
func closed(schema any) any {
	object, ok := schema.(map[string]any)
	if !ok {
		return schema
	}
	for key, sub := range object {
		if key == "properties" || key == "$defs" {
			for _, s := range sub.(map[string]any) {
				closed(s)
			}
		} else if key != "if" {
			closed(sub)
		}
	}
	if _, names := object["properties"]; names && object["additionalProperties"] == nil {
		object["additionalProperties"] = false
	}
	if address, ok := object["address"].(map[string]any); ok && address["minLength"] != nil {
		address["pattern"] = `^(\+[0-9]+|[^+].*)$`
	}
	return object
}

func parse(t *testing.T, text string) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func example(t *testing.T) any {
	t.Helper()
	data, err := os.ReadFile("testdata/example.json")
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(data))
}

func TestSchemaIsASchema(t *testing.T) {
	meta, err := jsonschema.NewCompiler().Compile("https://json-schema.org/draft/2020-12/schema")
	if err != nil {
		t.Fatal(err)
	}
	if err := meta.Validate(parse(t, unified.Schema)); err != nil {
		t.Error(err)
	}
}

func TestSchemaTakesTheExample(t *testing.T) {
	published, strict := schemas(t)
	for _, s := range []*jsonschema.Schema{published, strict} {
		if err := s.Validate(example(t)); err != nil {
			t.Error(err)
		}
	}
}

// Every body that a case forwards keeps to the schema.
func TestSchemaTakesEveryCase(t *testing.T) {
	all, err := cases.Load()
	if err != nil {
		t.Fatal(err)
	}
	_, strict := schemas(t)
	checked := 0
	for _, c := range all {
		for i, s := range c.Steps {
			if s.Want.Forward == nil || !isUnified(t, &c) {
				continue
			}
			checked++
			body := parse(t, string(s.Want.Forward.Bytes()))
			if err := strict.Validate(body); err != nil {
				t.Errorf("%s, step %d: %v", c.Name, i, err)
			}
			checkTypes(t, c.Name, body)
		}
	}
	if checked == 0 {
		t.Error("no case forwards a body in the unified shape")
	}
}

func isUnified(t *testing.T, c *cases.Case) bool {
	t.Helper()
	var config struct {
		Output     string `json:"output"`
		ReportOnly bool   `json:"report_only"`
	}
	if err := json.Unmarshal(c.Config, &config); err != nil {
		t.Fatal(err)
	}
	return !config.ReportOnly && (config.Output == "" || config.Output == "unified")
}

// checkTypes checks what a schema can't say: a type that is not listed begins
// with the event's own provider.
func checkTypes(t *testing.T, name string, body any) {
	t.Helper()
	for _, e := range body.(map[string]any)["events"].([]any) {
		event := e.(map[string]any)
		typ, provider := event["type"].(string), event["provider"].(string)
		if !slices.Contains(unified.Types[:], typ) && !strings.HasPrefix(typ, provider+".") {
			t.Errorf("%s: type %q of provider %s", name, typ, provider)
		}
	}
}

func TestSchemaListsTheTypes(t *testing.T) {
	var s struct {
		Defs struct {
			Type struct {
				AnyOf []struct {
					OneOf []struct{ Const, Description string }
				}
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(unified.Schema), &s); err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, c := range s.Defs.Type.AnyOf[0].OneOf {
		listed = append(listed, c.Const)
		if c.Description == "" {
			t.Errorf("%s has no description", c.Const)
		}
	}
	if !slices.Equal(listed, unified.Types[:]) {
		t.Errorf("the schema lists %q,\nwant %q", listed, unified.Types)
	}
}

// A full event is written in the schema's words, and none is left over: the
// example and what Append writes have the same fields.
func TestSchemaAndWriterAgree(t *testing.T) {
	event := unified.Event{
		ID: "i", Type: unified.MessageReceived, NativeType: "n", Channel: "c", Time: time.Unix(1, 0),
		SenderID: "s", RecipientID: "r", ConversationID: "c", AccountID: "a",
		Message: "m", MessageID: "i", MessageType: "text", ReplyToID: "r",
		Attachments: []unified.Attachment{{Type: "file", ID: "i", URL: "u", MimeType: "m", Name: "n", Size: "1", SHA256: "s"}},
		Location:    unified.Location{Latitude: "1", Longitude: "-2.5e0", Name: "n", Address: "a"},
		Error:       unified.Error{Code: "c", Message: "m"},
		Metadata:    []unified.Pair{{Key: "k", Value: "v"}},
		Data:        "{}",
	}
	w := unified.NewWriter("p", "e", "token")
	text := string(w.Append(nil, strings.Repeat("0", 32), time.Unix(1, 5e6), []unified.Event{event}, func(int) bool { return true }))
	_, strict := schemas(t)
	if err := strict.Validate(parse(t, text)); err != nil {
		t.Error(err)
	}
	properties := parse(t, unified.Schema).(map[string]any)
	event0 := parse(t, text).(map[string]any)["events"].([]any)[0].(map[string]any)
	written := map[string]any{
		"event":      event0,
		"attachment": event0["attachments"].([]any)[0],
		"location":   event0["location"],
		"error":      event0["error"],
	}
	for name, object := range written {
		want := keys(properties["$defs"].(map[string]any)[name].(map[string]any)["properties"])
		if got := keys(object); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: written %q, the schema has %q", name, got, want)
		}
	}
}

func keys(object any) (names []string) {
	for name := range object.(map[string]any) {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// refused are changes to the example, each of which makes one mistake. A null
// takes the field away.
var refused = []struct {
	about, envelope, event string
}{
	{"no version", `{"version":null}`, ""},
	{"another version", `{"version":"2"}`, ""},
	{"a version that is a number", `{"version":1}`, ""},
	{"no provider", `{"provider":null}`, ""},
	{"an empty provider", `{"provider":""}`, ""},
	{"a provider in capitals", `{"provider":"Meta"}`, ""},
	{"no endpoint", `{"endpoint":null}`, ""},
	{"an empty endpoint", `{"endpoint":""}`, ""},
	{"an endpoint that a metric's label can't hold", `{"endpoint":"a;b"}`, ""},
	{"an endpoint of 129 characters", `{"endpoint":"` + strings.Repeat("a", 129) + `"}`, ""},
	{"no assurance", `{"assurance":null}`, ""},
	{"an assurance that is none", `{"assurance":"none"}`, ""},
	{"no deliveryId", `{"deliveryId":null}`, ""},
	{"a short deliveryId", `{"deliveryId":"f976d7ce9107e02e59ac69b073e3361"}`, ""},
	{"a deliveryId in capitals", `{"deliveryId":"F976D7CE9107E02E59AC69B073E3361A"}`, ""},
	{"no receivedAt", `{"receivedAt":null}`, ""},
	{"a receivedAt that is a number", `{"receivedAt":1768473000}`, ""},
	{"no events", `{"events":null}`, ""},
	{"an empty list of events", `{"events":[]}`, ""},
	{"an event that is none", `{"events":["x"]}`, ""},

	{"no id", "", `{"id":null}`},
	{"an empty id", "", `{"id":""}`},
	{"an id that is a number", "", `{"id":1}`},
	{"no type", "", `{"type":null}`},
	{"a type without a dot", "", `{"type":"message"}`},
	{"a type without a name", "", `{"type":"meta."}`},
	{"a type of ours that is not listed", "", `{"type":"message.lost"}`},
	{"a type that begins with a listed one", "", `{"type":"message.received.late"}`},
	{"a type in capitals", "", `{"type":"Meta.account_update"}`},
	{"no nativeType", "", `{"nativeType":null}`},
	{"an empty nativeType", "", `{"nativeType":""}`},
	{"an event without a provider", "", `{"provider":null}`},
	{"an event without an endpoint", "", `{"endpoint":null}`},
	{"no channel", "", `{"channel":null}`},
	{"an empty channel", "", `{"channel":""}`},
	{"no timestamp", "", `{"timestamp":null}`},
	{"a timestamp without a zone", "", `{"timestamp":"2024-01-15T10:30:00"}`},
	{"a timestamp in another zone", "", `{"timestamp":"2024-01-15T10:30:00+00:00"}`},
	{"a timestamp with a space", "", `{"timestamp":"2024-01-15 10:30:00Z"}`},
	{"a timestamp in microseconds", "", `{"timestamp":"2024-01-15T10:30:00.123456Z"}`},
	{"a timestamp with needless decimals", "", `{"timestamp":"2024-01-15T10:30:00.000Z"}`},
	{"a timestamp on no day", "", `{"timestamp":"2024-02-30T10:30:00Z"}`},
	{"no timestampSource", "", `{"timestampSource":null}`},
	{"an unknown timestampSource", "", `{"timestampSource":"receipt"}`},
	{"no metadata", "", `{"metadata":null}`},
	{"metadata with a number", "", `{"metadata":{"a":1}}`},
	{"metadata that nests", "", `{"metadata":{"a":{}}}`},
	{"no data", "", `{"data":null}`},

	{"a received message without senderId", "", `{"senderId":null}`},
	{"a received message without message", "", `{"message":null}`},
	{"a received message without messageId", "", `{"messageId":null}`},
	{"a received message without messageType", "", `{"messageType":null}`},
	{"a received message without conversationId", "", `{"conversationId":null}`},
	{"an empty senderId", "", `{"senderId":""}`},
	{"a senderId that is a number", "", `{"senderId":254712345678}`},
	{"an empty recipientId", "", `{"recipientId":""}`},
	{"an empty conversationId", "", `{"conversationId":""}`},
	{"an empty messageType", "", `{"messageType":""}`},
	{"an empty replyToId", "", `{"replyToId":""}`},
	{"an empty accountId", "", `{"accountId":""}`},
	{"a message that is no text", "", `{"message":{"body":"x"}}`},

	{"an empty list of attachments", "", `{"attachments":[]}`},
	{"an attachment without a type", "", `{"attachments":[{"id":"1"}]}`},
	{"an attachment of an unknown type", "", `{"attachments":[{"type":"gif"}]}`},
	{"an attachment's size as text", "", `{"attachments":[{"type":"file","size":"1"}]}`},
	{"an attachment's negative size", "", `{"attachments":[{"type":"file","size":-1}]}`},
	{"an attachment's broken size", "", `{"attachments":[{"type":"file","size":1.5}]}`},
	{"a location without latitude", "", `{"location":{"longitude":1}}`},
	{"a location without longitude", "", `{"location":{"latitude":1}}`},
	{"a location in text", "", `{"location":{"latitude":"1","longitude":"2"}}`},
	{"an error without a code", "", `{"error":{"message":"x"}}`},
	{"an error's code as a number", "", `{"error":{"code":131047}}`},
}

// accepted are changes that keep the shape: the other side of each boundary.
var accepted = []struct {
	about, envelope, event string
}{
	{"a field of a later release", `{"later":1}`, `{"later":{"x":[]}}`},
	{"a token's assurance", `{"assurance":"token"}`, ""},
	{"an endpoint of 128 characters", `{"endpoint":"` + strings.Repeat("a", 128) + `"}`, ""},
	{"an endpoint with spaces and signs", `{"endpoint":"Hooks: \"a/b\" <~>"}`, ""},
	{"milliseconds", "", `{"timestamp":"2024-01-15T10:30:00.100Z"}`},
	{"one millisecond", "", `{"timestamp":"2024-01-15T10:30:00.001Z"}`},
	{"a leap day", "", `{"timestamp":"2024-02-29T10:30:00Z"}`},
	{"an empty message", "", `{"message":""}`},
	{"empty metadata", "", `{"metadata":{}}`},
	{"an empty metadata value", "", `{"metadata":{"a":""}}`},
	{"a status without a sender", "", `{"type":"message.delivered","senderId":null,"message":null,"messageType":null,"conversationId":null}`},
	{"a provider's own type", "", `{"type":"meta.account_update"}`},
	{"a provider's own type with dots and spaces", "", `{"type":"zavu.message.lost at sea"}`},
	{"a provider that is named like a family of types", "", `{"type":"callcenter.rang"}`},
	{"an error without words", "", `{"error":{"code":""}}`},
	{"an attachment that is but a type", "", `{"attachments":[{"type":"sticker","size":0}]}`},
	{"a place on the equator", "", `{"location":{"latitude":0,"longitude":-180}}`},
	{"a short code", "", `{"senderId":"20880","recipientId":"client:alice"}`},
}

func TestSchemaRefuses(t *testing.T) {
	published, _ := schemas(t)
	for _, c := range refused {
		if published.Validate(changed(t, c.envelope, c.event)) == nil {
			t.Errorf("%s is taken", c.about)
		}
	}
	for _, c := range accepted {
		if err := published.Validate(changed(t, c.envelope, c.event)); err != nil {
			t.Errorf("%s: %v", c.about, err)
		}
	}
}

func changed(t *testing.T, envelope, event string) any {
	t.Helper()
	body := example(t).(map[string]any)
	if event != "" {
		change(body["events"].([]any)[0].(map[string]any), parse(t, event))
	}
	if envelope != "" {
		change(body, parse(t, envelope))
	}
	return body
}

func change(object map[string]any, changes any) {
	for name, value := range changes.(map[string]any) {
		if value == nil {
			delete(object, name)
		} else {
			object[name] = value
		}
	}
}

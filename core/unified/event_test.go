package unified_test

import (
	"reflect"
	"testing"

	"github.com/hookward/hookward/core/unified"
)

func TestComplete(t *testing.T) {
	whole := unified.Event{
		ID: "1", Type: unified.MessageReceived, NativeType: "n", SenderID: "s", ConversationID: "c", MessageID: "2", MessageType: "text",
	}
	for _, c := range []struct {
		about       string
		take, given func(*unified.Event)
	}{
		{"nothing is missing", func(*unified.Event) {}, func(*unified.Event) {}},
		{"no message id", func(e *unified.Event) { e.MessageID = "" }, func(e *unified.Event) { e.MessageID = "1" }},
		{"no message type", func(e *unified.Event) { e.MessageType = "" }, func(e *unified.Event) { e.MessageType = "unsupported" }},
		{"no native type", func(e *unified.Event) { e.NativeType = "" }, func(e *unified.Event) { e.NativeType = "unknown" }},
		{"no sender", func(e *unified.Event) { e.SenderID = "" }, func(e *unified.Event) { e.SenderID, e.Type = "", "meta.n" }},
		{"no conversation", func(e *unified.Event) { e.ConversationID = "" }, func(e *unified.Event) { e.ConversationID, e.Type = "", "meta.n" }},
		{"neither sender nor native type", func(e *unified.Event) { e.SenderID, e.NativeType = "", "" },
			func(e *unified.Event) { e.SenderID, e.Type, e.NativeType = "", "meta.unknown", "unknown" }},
		{"no sender of a status", func(e *unified.Event) {
			e.Type, e.SenderID, e.MessageID, e.MessageType = unified.MessageRead, "", "", ""
		},
			func(e *unified.Event) {
				e.Type, e.SenderID, e.MessageID, e.MessageType = unified.MessageRead, "", "", ""
			}},
	} {
		got, want := whole, whole
		c.take(&got)
		c.given(&want)
		got.Complete("meta")
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", c.about, got, want)
		}
	}
}

package provider

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/unified"
)

// FuzzMeta holds the mapping to what it promises of any authentic object: no
// panic, nothing lost, and events that a backend can rely on.
func FuzzMeta(f *testing.F) {
	all, err := cases.Load()
	if err != nil {
		f.Fatal(err)
	}
	seeds := 0
	for _, c := range all {
		for i := range c.Steps {
			if strings.HasPrefix(c.Name, "meta/") {
				f.Add(string(c.Steps[i].Request.Bytes()))
				seeds++
			}
		}
	}
	if seeds < 100 {
		f.Fatalf("%d seeds: the cases of Meta are gone", seeds)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var delivery map[string]any
		var doc jsondoc.Doc
		if json.Unmarshal([]byte(body), &delivery) != nil || delivery == nil || doc.Parse(body) != nil {
			return
		}
		var batch unified.Batch
		d := NewDelivery("meta", &batch, nil)
		d.JSON = doc.Root()
		mapMeta(&d)
		if len(batch.Events()) == 0 && !holdsNothing(delivery) {
			t.Errorf("no event of %s", body)
		}
		for i := range batch.Events() {
			checkMetaEvent(t, &batch.Events()[i])
		}
	})
}

func checkMetaEvent(t *testing.T, e *unified.Event) {
	t.Helper()
	var data map[string]any
	if json.Unmarshal([]byte(e.Data), &data) != nil || data == nil {
		t.Errorf("%s: data is no object: %s", e.Type, e.Data)
	}
	if e.NativeType == "" || e.Channel == "" {
		t.Errorf("%s: native type %q, channel %q", e.Type, e.NativeType, e.Channel)
	}
	if (e.ID == "") != e.Identity.IsZero() {
		t.Errorf("%s: id %q, identity %q", e.Type, e.ID, e.Identity)
	}
	if e.Type == unified.MessageReceived && (e.SenderID == "" || e.ConversationID == "" || e.MessageType == "") {
		t.Errorf("%s: sender %q, conversation %q, message type %q", e.Type, e.SenderID, e.ConversationID, e.MessageType)
	}
}

// holdsNothing says that all lists of a delivery are empty, so that it has no
// event to lose.
func holdsNothing(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		lists := 0
		for name, member := range v {
			if strings.Contains(" entry changes messaging standby messages statuses errors message_echoes value ", " "+name+" ") {
				if !holdsNothing(member) {
					return false
				}
				lists++
			}
		}
		return lists > 0
	case []any:
		for _, element := range v {
			if !holdsNothing(element) {
				return false
			}
		}
		return true
	default:
		return v == nil
	}
}

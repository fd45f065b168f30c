package provider

import (
	"strings"
	"time"

	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/unified"
)

// Meta sends for WhatsApp, Messenger and Instagram alike: one signature, one
// handshake; the payload's "object" says for which.
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started
var _ = register(&Provider{
	Name:  "meta",
	Title: "Meta (WhatsApp, Messenger, Instagram)",
	Docs:  "https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
	Auth: Auth{
		Headers:   []string{"X-Hub-Signature-256"},
		Legacy:    []string{"X-Hub-Signature"},
		Algorithm: SHA256,
		Encoding:  Hex,
		Prefix:    "sha256=",
		Signed:    RawBody,
	},
	Handshake: &Handshake{
		Challenge:   "hub.challenge",
		Mode:        "hub.mode",
		ModeValue:   "subscribe",
		VerifyToken: "hub.verify_token",
		Answer:      Echo,
	},
	Body:        JSON,
	MaxBody:     4 << 20,
	Retries:     "yes, for 7 days",
	Retried:     true,
	Window:      185 * time.Hour,
	Identity:    "WhatsApp: wamid, for a status with status, recipient and participant; Messenger and Instagram: kind, mid, actor and action, a reaction and an edit also with their time; else digest and index",
	ReplayBound: "185 h: nothing signed says when a delivery was sent",
	Map:         mapMeta,
})

// metaChannel is the product by the payload's "object". One that is not here is
// mapped all the same, under the provider's name.
func metaChannel(object string) string {
	switch object {
	case "whatsapp_business_account":
		return "whatsapp"
	case "page":
		return "messenger"
	case "instagram":
		return "instagram"
	default:
		return ""
	}
}

// mapMeta walks the entries: each is an account, and what happened there.
func mapMeta(d *Delivery) {
	m := &metaEntry{Delivery: d, channel: metaChannel(d.JSON.Get("object").Text())}
	found := m.each(d.JSON, "entry", func(entry jsondoc.Value) {
		m.entry = entry
		m.read()
	})
	if !found {
		m.other("unknown", d.Data())
	}
}

// metaEntry is one entry of a delivery.
type metaEntry struct {
	*Delivery
	channel string
	entry   jsondoc.Value
}

// read maps all that the entry holds, in Meta's order.
func (m *metaEntry) read() {
	found := m.each(m.entry, "changes", m.change)
	found = m.each(m.entry, "messaging", m.messaging) || found
	found = m.each(m.entry, "standby", m.standby) || found
	if m.entry.Get("field").Exists() { // Instagram Login: the entry is the change
		m.change(m.entry)
		found = true
	}
	if !found {
		m.other("unknown", m.entry.Raw())
	}
}

// each calls do for the objects in the parent's list of that name, and says
// whether there is one. What is no list, or no object in it, is an event that
// nobody knows, with the parent as its data: it came from Meta all the same.
func (m *metaEntry) each(parent jsondoc.Value, name string, do func(jsondoc.Value)) (found bool) {
	list := parent.Get(name)
	switch list.Kind() {
	case jsondoc.Absent, jsondoc.Null:
		return false
	case jsondoc.Array:
	default:
		m.other("unknown", parent.Raw())
		return true
	}
	for item := list.First(); item.Exists() && !m.Full(); item = item.Next() {
		if item.Kind() == jsondoc.Object {
			do(item)
		} else {
			m.other("unknown", parent.Raw())
		}
	}
	return true
}

// change is what happened to a field that the app has subscribed to.
func (m *metaEntry) change(change jsondoc.Value) {
	value := change.Get("value")
	switch {
	case m.channel == "whatsapp":
		m.whatsAppChange(change)
	case change.Get("field").Text() == "standby" && value.Kind() == jsondoc.Object:
		m.standby(value)
	case isMessaging(value): // as the dashboard's tests for Instagram have it
		m.messaging(value)
	default:
		e := m.changed(change)
		e.SenderID = value.Get("from").Get("id").Text()
		e.Message = firstText(value, "text", "message")
		e.AddMetadata("username", value.Get("from").Get("username").Text())
	}
}

// changed is a change of a field that has no type of its own: a comment, a
// mention, a quality rating.
func (m *metaEntry) changed(change jsondoc.Value) *unified.Event {
	field, value := firstOf(change.Get("field").Text(), "unknown"), change.Get("value")
	data := value
	if field == "unknown" || value.Kind() != jsondoc.Object {
		data = change
	}
	return m.other(field, data.Raw())
}

func (m *metaEntry) event(typ, native, data string) *unified.Event {
	e := m.Event(typ, native, data)
	if m.channel != "" {
		e.Channel = m.channel
	}
	return e
}

// other is an event that this version has no type for.
func (m *metaEntry) other(native, data string) *unified.Event {
	e := m.event(m.Provider+"."+native, native, data)
	e.Time = metaTime(m.entry.Get("time"))
	if m.channel == "whatsapp" {
		e.AddMetadata("wabaId", m.entry.Get("id").Text())
	} else {
		e.AccountID = m.entry.Get("id").Text()
	}
	return e
}

// needsSender gives a message that nobody sent, or that has no place for an
// answer, its native name: what message.received promises it could not keep.
func (m *metaEntry) needsSender(e *unified.Event) {
	if e.Type == unified.MessageReceived && (e.SenderID == "" || e.ConversationID == "") {
		e.Type = m.Provider + "." + e.NativeType
	}
}

// identify makes an event known by its kind, the id in Meta's words, and what
// else tells it from others of that kind and id. Without an id the event is
// known by the digest and its index.
func identify(e *unified.Event, kind, id string, varies ...string) {
	if id == "" {
		return
	}
	e.Identity = unified.Identity{kind, id}
	copy(e.Identity[2:], varies)
	e.ID = id
	if kind != "message" && kind != "status" { // a status is a word by itself
		e.ID += ":" + kind
	}
	if tail := strings.TrimRight(strings.Join(varies, ":"), ":"); tail != "" {
		e.ID += ":" + tail
	}
}

// metaTime reads what Meta writes for a time: seconds (WhatsApp), milliseconds
// (Messenger, Instagram), either as a number or a string, or a date.
func metaTime(v jsondoc.Value) time.Time {
	const longestSeconds, layout = 11, "2006-01-02T15:04:05-0700"
	text := v.Text()
	if len(text) <= longestSeconds {
		return seconds(text)
	}
	if t, ok := date(layout, text); ok {
		return plausible(t)
	}
	return millis(text)
}

// firstText is the first of the members that holds a text.
func firstText(v jsondoc.Value, names ...string) string {
	for _, name := range names {
		if text := v.Get(name).Text(); text != "" {
			return text
		}
	}
	return ""
}

package provider

import (
	"time"

	"github.com/hookward/hookward/core/unified"
)

// TwaBot sends what happens to a business's WhatsApp number.
// https://twabot.com/docs/webhooks/
var _ = register(&Provider{
	Name:  "twabot",
	Title: "TwaBot",
	Docs:  "https://twabot.com/docs/webhooks/",
	Auth: Auth{
		Headers:   []string{"X-Twabot-Signature"},
		Algorithm: SHA256,
		Encoding:  Hex,
		Signed:    RawBody,
	},
	Body:        JSON,
	Retries:     "no",
	Window:      24 * time.Hour,
	Timed:       true,
	Identity:    "event with message_id, conversation_id or broadcast_id; else digest",
	ReplayBound: "never: what the window has forgotten is too old by its signed timestamp",
	Map:         mapTwaBot,
})

// twaBotEvents are the events that are documented, called the same here, each
// with the member of data that tells it from others of its name. One wamid occurs
// in several events.
var twaBotEvents = map[string]struct{ typ, id string }{
	"message.received":     {unified.MessageReceived, "message_id"},
	"message.sent":         {unified.MessageSent, "message_id"},
	"ai.replied":           {unified.AIReplied, "message_id"},
	"conversation.created": {unified.ConversationCreated, "conversation_id"},
	"broadcast.completed":  {unified.BroadcastCompleted, "broadcast_id"},
}

// mapTwaBot reads {event, timestamp, data}.
func mapTwaBot(d *Delivery) {
	data := d.JSON.Get("data")
	name := d.JSON.Get("event").Text()
	known := twaBotEvents[name]
	e := d.enveloped(name, known.typ, data)
	e.Channel = "whatsapp"
	e.Time = rfc3339(d.JSON.Get("timestamp").Text())
	if id := data.Get(known.id).Text(); known.id != "" && id != "" {
		e.ID = name + ":" + id
		e.Identity = unified.Identity{name, id}
	}
	plain(e, data, e164)
}

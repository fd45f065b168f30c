package provider

import (
	"cmp"
	"strings"
	"time"

	"github.com/hookward/hookward/core/unified"
)

// Vobiz sends WhatsApp events. It publishes the names of the events and how it
// signs, but no payload: the fields are read in the spellings of Zavu, TwaBot
// and Meta.
var _ = register(&Provider{
	Name:  "vobiz",
	Title: "Vobiz",
	Docs:  "https://docs.vobiz.ai/whatsapp/webhooks",
	Auth: Auth{
		Headers:        []string{"X-Vobiz-Signature"},
		Algorithm:      SHA256,
		Encoding:       Hex,
		Prefix:         "sha256=",
		PrefixOptional: true,
		Signed:         RawBody,
	},
	Body:        JSON,
	Retries:     "yes, for 24 h",
	Retried:     true,
	Window:      27 * time.Hour,
	Timed:       true,
	Identity:    "the event's id; else digest",
	ReplayBound: "never: what the window has forgotten is too old by its signed timestamp",
	Map:         mapVobiz,
})

// vobizTypes are the events that have a type of their own here.
var vobizTypes = map[string]string{
	"message.received":   unified.MessageReceived,
	"message.sent":       unified.MessageSent,
	"message.delivered":  unified.MessageDelivered,
	"message.read":       unified.MessageRead,
	"message.failed":     unified.MessageFailed,
	"contact.updated":    unified.ContactUpdated,
	"campaign.completed": unified.CampaignCompleted,
}

// mapVobiz reads {id, type or event, timestamp, data}.
func mapVobiz(d *Delivery) {
	data := d.JSON.Get("data")
	name := firstText(d.JSON, "type", "event")
	e := d.enveloped(name, vobizTypes[name], data)
	e.Channel = "whatsapp"
	e.Time = anyTime(d.JSON.Get("timestamp").Text())
	if id := firstText(d.JSON, "id", "event_id"); id != "" {
		e.ID = id
		e.Identity = unified.Identity{name, id}
	}
	plain(e, data, e164)
	if strings.HasPrefix(e.Type, "message.") {
		e.MessageID = cmp.Or(e.MessageID, firstText(data, "wamid", "id"))
	}
}

// anyTime reads Unix seconds, Unix milliseconds, or a date; of the numbers,
// milliseconds have had more than ten digits since 2001 and seconds will in 2286.
func anyTime(text string) time.Time {
	whole, _, _ := strings.Cut(text, ".")
	if _, ok := wholeNumber(whole); ok {
		if len(whole) > 10 {
			return millis(whole)
		}
		return seconds(whole)
	}
	for _, layout := range dateLayouts {
		if t, ok := date(layout, text); ok {
			return plausible(t)
		}
	}
	return time.Time{}
}

// dateLayouts are the ways to write a date and time; without a zone it is UTC.
var dateLayouts = [...]string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", time.DateTime}

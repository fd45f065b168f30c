package provider

import (
	"cmp"
	"strings"
	"time"

	"github.com/hookward/hookward/core/unified"
)

// Zavu sends SMS, WhatsApp and other channels in one envelope.
// https://docs.zavu.dev/guides/webhooks
var _ = register(&Provider{
	Name:  "zavu",
	Title: "Zavu",
	Docs:  "https://docs.zavu.dev/guides/webhooks",
	Auth: Auth{
		Headers:   []string{"X-Zavu-Signature"},
		Algorithm: SHA256,
		Encoding:  Hex,
		Prefix:    "sha256=",
		Signed:    RawBody,
	},
	Body:        JSON,
	Retries:     "yes: at once, after 1 m, 5 m, 30 m and 2 h",
	Retried:     true,
	Window:      24 * time.Hour,
	Timed:       true,
	Identity:    "id",
	ReplayBound: "never: what the window has forgotten is too old by its signed timestamp",
	Map:         mapZavu,
})

// zavuTypes are the events that have a type of their own here.
var zavuTypes = map[string]string{
	"message.inbound":   unified.MessageReceived,
	"message.queued":    unified.MessageQueued,
	"message.sent":      unified.MessageSent,
	"message.delivered": unified.MessageDelivered,
	"message.read":      unified.MessageRead,
	"message.failed":    unified.MessageFailed,
	"template.approved": unified.TemplateApproved,
	"template.rejected": unified.TemplateRejected,
}

// mapZavu reads {id, type, timestamp in ms, projectId, data}.
func mapZavu(d *Delivery) {
	data := d.JSON.Get("data")
	name := d.JSON.Get("type").Text()
	e := d.enveloped(name, zavuTypes[name], data)
	e.Time = millis(d.JSON.Get("timestamp").Text())
	if id := d.JSON.Get("id").Text(); id != "" {
		e.ID = id
		e.Identity = unified.Identity{name, id}
	}
	e.Channel = cmp.Or(data.Get("channel").Text(), e.Channel)
	e.AddMetadata("projectId", d.JSON.Get("projectId").Text())
	plain(e, data, asWritten)
	if strings.HasPrefix(name, "template.") {
		e.Channel = "whatsapp" // only WhatsApp has templates
		e.AddMetadata("templateName", data.Get("name").Text())
	}
}

// asWritten is for addresses that come complete: E.164 with its plus sign, a
// short code, a user's id.
func asWritten(address string) string { return address }

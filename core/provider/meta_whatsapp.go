package provider

import (
	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/unified"
)

// mapWhatsApp walks entry[] × changes[].
// https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
func mapWhatsApp(d *Delivery) {
	for entry := d.JSON.Get("entry").First(); entry.Exists(); entry = entry.Next() {
		for change := entry.Get("changes").First(); change.Exists(); change = change.Next() {
			value := change.Get("value")
			for m := value.Get("messages").First(); m.Exists(); m = m.Next() {
				whatsAppMessage(d, entry, value, m)
			}
		}
	}
}

func whatsAppMessage(d *Delivery, entry, value, m jsondoc.Value) {
	typ := m.Get("type").Text()
	e := d.Event(unified.MessageReceived, "messages."+typ, m.Raw())
	e.Channel = "whatsapp"
	e.ID = m.Get("id").Text()
	e.MessageID = e.ID
	e.Identity = unified.Identity{"message", e.ID}
	e.Time = seconds(m.Get("timestamp").Text())
	from := m.Get("from").Text()
	e.SenderID = e164(from)
	e.ConversationID = from
	e.MessageType = typ
	e.Message = m.Get("text").Get("body").Text()
	account := value.Get("metadata")
	e.AccountID = account.Get("phone_number_id").Text()
	e.RecipientID = e164(account.Get("display_phone_number").Text())
	e.AddMetadata("phoneNumberId", e.AccountID)
	e.AddMetadata("profileName", value.Get("contacts").First().Get("profile").Get("name").Text())
	e.AddMetadata("wabaId", entry.Get("id").Text())
}

package provider

import (
	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/unified"
)

// whatsAppStatuses are the statuses with a type; the others keep their name.
var whatsAppStatuses = map[string]string{
	"sent":      unified.MessageSent,
	"delivered": unified.MessageDelivered,
	"read":      unified.MessageRead,
	"failed":    unified.MessageFailed,
}

// status is what became of a message of ours. One message has one status of a
// name for each recipient, in a group for each participant.
func (w *whatsApp) status(s jsondoc.Value) {
	name := firstOf(s.Get("status").Text(), "unknown")
	native := "statuses." + name
	typ, ok := whatsAppStatuses[name]
	if !ok {
		typ = w.Provider + "." + native
	}
	e := w.event(typ, native, s.Raw())
	e.MessageID = s.Get("id").Text()
	e.Time = metaTime(s.Get("timestamp"))
	e.SenderID = w.e164(w.number)
	w.account(e)
	recipient, participant := w.recipient(e, s)
	identify(e, "status", e.MessageID, name, recipient, participant)
	e.AddMetadata("wabaId", w.entry.Get("id").Text())
	whatsAppPricing(e, s)
	if problems := s.Get("errors"); problems.Kind() == jsondoc.Array {
		addWhatsAppError(e, problems.First())
	}
}

// recipient is where the message went, and in a group who of it is concerned.
func (w *whatsApp) recipient(e *unified.Event, s jsondoc.Value) (recipient, participant string) {
	recipient = firstText(s, "recipient_id", "recipient_user_id")
	participant = firstText(s, "recipient_participant_id", "recipient_participant_user_id")
	if s.Get("recipient_type").Text() != "group" {
		u := w.person(e, whatsAppUser{s.Get("recipient_id").Text(), s.Get("recipient_user_id").Text()})
		e.ConversationID, e.RecipientID = u.address(), w.e164(u.address())
		return recipient, participant
	}
	e.ConversationID, e.RecipientID = recipient, recipient
	if participant != "" {
		e.RecipientID = w.e164(participant)
		w.person(e, whatsAppUser{s.Get("recipient_participant_id").Text(), s.Get("recipient_participant_user_id").Text()})
	}
	e.AddMetadata("groupId", recipient)
	return recipient, participant
}

func whatsAppPricing(e *unified.Event, s jsondoc.Value) {
	pricing := s.Get("pricing")
	e.AddMetadata("pricingModel", pricing.Get("pricing_model").Text())
	e.AddMetadata("pricingType", pricing.Get("type").Text())
	e.AddMetadata("pricingCategory", pricing.Get("category").Text())
	e.AddMetadata("billable", pricing.Get("billable").Text())
	e.AddMetadata("callbackData", s.Get("biz_opaque_callback_data").Text())
}

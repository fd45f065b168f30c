package provider

import (
	"slices"

	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/unified"
)

// messaging is one event of Messenger or Instagram: the two ends, a time, and
// one object whose key is the kind of event.
// https://developers.facebook.com/docs/messenger-platform/reference/webhook-events
func (m *metaEntry) messaging(item jsondoc.Value) {
	kind := messengerKind(item)
	body := item.Get(kind)
	switch kind {
	case "message":
		m.message(item, body)
	case "message_edit":
		m.edited(item, body)
	case "postback":
		m.postback(item, body)
	case "reaction":
		m.reaction(item, body)
	case "delivery":
		m.delivered(item, body)
	case "read":
		e := m.receipt(unified.MessageRead, kind, item, body.Get("mid").Text())
		e.AddMetadata("watermark", body.Get("watermark").Text())
	default:
		e := m.exchange(m.Provider+"."+kind, kind, item)
		e.AddMetadata("payload", body.Get("payload").Text())
		addReferral(e, body)
	}
}

// standby is an event of a conversation that another app has in hand.
func (m *metaEntry) standby(item jsondoc.Value) {
	e := m.exchange(m.Provider+".standby", "standby", item)
	body := item.Get("message")
	if body.Kind() != jsondoc.Object {
		return
	}
	e.MessageID = body.Get("mid").Text()
	identify(e, "standby", e.MessageID, messageKind(body))
	messengerContent(e, body)
}

// postback is a button that was pressed: a message that the user did not have
// to type.
func (m *metaEntry) postback(item, body jsondoc.Value) {
	e := m.exchange(unified.MessageReceived, "postback", item)
	e.MessageID = body.Get("mid").Text()
	identify(e, "postback", e.MessageID)
	e.Message = body.Get("title").Text()
	e.MessageType = "interactive"
	m.needsSender(e)
	e.AddMetadata("payload", body.Get("payload").Text())
	addReferral(e, body.Get("referral"))
}

// reaction is known by its time as well: the same one may be given, taken back
// and given again.
func (m *metaEntry) reaction(item, body jsondoc.Value) {
	e := m.exchange(unified.MessageReaction, "reaction", item)
	e.MessageID = body.Get("mid").Text()
	e.MessageType = "reaction"
	action := body.Get("action").Text()
	identify(e, "reaction", e.MessageID, e.SenderID, action,
		firstText(body, "reaction", "emoji"), item.Get("timestamp").Text())
	if action == "unreact" {
		addReaction(e, "")
	} else {
		addReaction(e, firstText(body, "emoji", "reaction"))
	}
}

// edited is known by the number of the edit, and by its time.
func (m *metaEntry) edited(item, body jsondoc.Value) {
	e := m.exchange(unified.MessageEdited, "message_edit", item)
	e.MessageID = body.Get("mid").Text()
	e.MessageType = "text"
	e.Message = body.Get("text").Text()
	identify(e, "edit", e.MessageID, e.SenderID, body.Get("num_edit").Text(), item.Get("timestamp").Text())
}

// delivered is one event for each message that arrived. Without their ids it
// says that all up to the watermark did.
func (m *metaEntry) delivered(item, body jsondoc.Value) {
	mids := body.Get("mids")
	mid := mids.First()
	if mids.Kind() != jsondoc.Array {
		mid = jsondoc.Value{}
	}
	for {
		e := m.receipt(unified.MessageDelivered, "delivery", item, mid.Text())
		e.AddMetadata("watermark", body.Get("watermark").Text())
		if mid = mid.Next(); !mid.Exists() || m.Full() {
			return
		}
	}
}

// receipt is about a message of ours, so that we are its sender: Meta names the
// user who received it as the sender of the receipt.
func (m *metaEntry) receipt(typ, kind string, item jsondoc.Value, mid string) *unified.Event {
	e := m.exchange(typ, kind, item)
	e.MessageID = mid
	identify(e, kind, mid, e.SenderID)
	e.SenderID, e.RecipientID = e.RecipientID, e.SenderID
	return e
}

// exchange is an event between the two ends of a conversation.
func (m *metaEntry) exchange(typ, native string, item jsondoc.Value) *unified.Event {
	e := m.event(typ, native, item.Raw())
	e.Time = metaTime(item.Get("timestamp"))
	if e.Time.IsZero() {
		e.Time = metaTime(m.entry.Get("time"))
	}
	e.SenderID, e.RecipientID = messengerID(item.Get("sender")), messengerID(item.Get("recipient"))
	account := m.entry.Get("id").Text()
	us, them := e.RecipientID, e.SenderID
	if item.Get("message").Get("is_echo").True() || (them != "" && them == account) {
		us, them = them, us
	}
	e.AccountID, e.ConversationID = account, them
	if account == "" || account == "0" { // the dashboard's tests
		e.AccountID = us
	}
	return e
}

// messengerID is a page- or Instagram-scoped id, or what stands for a person who
// has none yet.
func messengerID(v jsondoc.Value) string { return firstText(v, "id", "user_ref") }

// messengerKinds are the kinds with a type of their own.
var messengerKinds = [...]string{"message", "message_edit", "postback", "reaction", "delivery", "read"}

// messengerKind is the key of the object that an event is about.
func messengerKind(item jsondoc.Value) string {
	for _, kind := range messengerKinds {
		if item.Get(kind).Kind() == jsondoc.Object {
			return kind
		}
	}
	for member := item.First(); member.Exists(); member = member.Next() {
		switch name := member.Name(); name {
		case "", "sender", "recipient", "prior_message", "hop_context":
		default:
			if member.Kind() == jsondoc.Object {
				return name
			}
		}
	}
	return "unknown"
}

// isMessaging says that v is an event with a type of its own.
func isMessaging(v jsondoc.Value) bool {
	return (v.Get("sender").Exists() || v.Get("recipient").Exists()) &&
		slices.Contains(messengerKinds[:], messengerKind(v))
}

// addReferral says how a person came to us.
func addReferral(e *unified.Event, referral jsondoc.Value) {
	e.AddMetadata("referralRef", referral.Get("ref").Text())
	e.AddMetadata("referralSourceType", referral.Get("source").Text())
	e.AddMetadata("referralSourceId", referral.Get("ad_id").Text())
}

package provider

import (
	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/unified"
)

// whatsAppAbout is the event's type for messages that are about another one, ""
// for those that are not.
func whatsAppAbout(typ string) string {
	switch typ {
	case "reaction":
		return unified.MessageReaction
	case "edit":
		return unified.MessageEdited
	case "revoke":
		return unified.MessageDeleted
	default:
		return ""
	}
}

// received is a message from a user.
func (w *whatsApp) received(m jsondoc.Value) {
	e, user := w.message(unified.MessageReceived, "message", m,
		whatsAppUser{m.Get("from").Text(), m.Get("from_user_id").Text()})
	e.SenderID, e.RecipientID = w.e164(user.address()), w.e164(w.number)
	w.needsSender(e)
}

// echo is a message of ours, sent from the WhatsApp Business app.
func (w *whatsApp) echo(m jsondoc.Value) {
	e, user := w.message(unified.MessageSent, "echo", m,
		whatsAppUser{m.Get("to").Text(), m.Get("to_user_id").Text()})
	e.SenderID, e.RecipientID = w.e164(firstOf(m.Get("from").Text(), w.number)), w.e164(user.address())
}

// message is what both have in common. A type about another message keeps its
// event type, whoever sent it.
func (w *whatsApp) message(typ, kind string, m jsondoc.Value, user whatsAppUser) (*unified.Event, whatsAppUser) {
	native := firstOf(m.Get("type").Text(), "unknown")
	typ = firstOf(whatsAppAbout(native), typ)
	e := w.event(typ, w.join(w.field, ".", native), m.Raw())
	e.MessageID = m.Get("id").Text()
	identify(e, kind, e.MessageID)
	e.ID = e.MessageID // a wamid says which way the message went: no echo shares one with a message
	e.Time = metaTime(m.Get("timestamp"))
	w.account(e)
	user = w.person(e, user)
	group := m.Get("group_id").Text()
	e.ConversationID = firstOf(group, user.address())
	e.AddMetadata("groupId", group)
	e.AddMetadata("wabaId", w.entry.Get("id").Text())
	whatsAppContext(e, m)
	whatsAppContent(e, native, m)
	return e, user
}

// whatsAppContent takes over what a message of that type says; what has no
// field in the unified shape is in data.
func whatsAppContent(e *unified.Event, typ string, m jsondoc.Value) {
	body := m.Get(typ)
	e.MessageType = typ
	switch typ {
	case "text":
		e.Message = body.Get("body").Text()
	case "image", "audio", "video", "document", "sticker":
		whatsAppMedia(e, typ, body)
	case "location":
		whatsAppLocation(e, body)
	case "button":
		e.Message = body.Get("text").Text()
		e.AddMetadata("payload", body.Get("payload").Text())
	case "interactive":
		reply := body.Get(body.Get("type").Text())
		e.Message = firstText(reply, "title", "body")
		e.AddMetadata("payload", firstText(reply, "id", "response_json", "response"))
	case "order":
		e.Message = body.Get("text").Text()
	case "system":
		e.Message = body.Get("body").Text()
	case "reaction":
		e.MessageID = body.Get("message_id").Text()
		addReaction(e, body.Get("emoji").Text())
	case "edit":
		e.MessageID = body.Get("original_message_id").Text()
		whatsAppEdited(e, body.Get("message"))
	case "revoke":
		e.MessageID, e.MessageType = body.Get("original_message_id").Text(), ""
	}
}

// whatsAppEdited is the new content, in the shape of a message. An edit of an
// edit does not exist, and would be read without an end.
func whatsAppEdited(e *unified.Event, m jsondoc.Value) {
	typ := m.Get("type").Text()
	if whatsAppAbout(typ) == "" {
		whatsAppContent(e, typ, m)
	}
}

// addReaction takes over the emoji; without one the reaction was removed.
func addReaction(e *unified.Event, emoji string) {
	e.Message = emoji
	action := "added"
	if emoji == "" {
		action = "removed"
	}
	e.AddMetadata("action", action)
}

func whatsAppMedia(e *unified.Event, typ string, body jsondoc.Value) {
	if body.Kind() != jsondoc.Object {
		return
	}
	e.Message = body.Get("caption").Text()
	e.Attachments = append(e.Attachments, unified.Attachment{
		Type:     typ,
		ID:       body.Get("id").Text(),
		URL:      firstText(body, "url", "link"),
		MimeType: body.Get("mime_type").Text(),
		Name:     body.Get("filename").Text(),
		SHA256:   body.Get("sha256").Text(),
	})
}

func whatsAppLocation(e *unified.Event, body jsondoc.Value) {
	e.Location = unified.Location{
		Latitude:  jsonNumber(body.Get("latitude")),
		Longitude: jsonNumber(body.Get("longitude")),
		Name:      body.Get("name").Text(),
		Address:   body.Get("address").Text(),
	}
}

// jsonNumber is a JSON number as it was written, "" for everything else.
func jsonNumber(v jsondoc.Value) string {
	if v.Kind() != jsondoc.Number {
		return ""
	}
	return v.Raw()
}

// whatsAppContext says what a message answers, how it came to be, and why it
// could not be shown.
func whatsAppContext(e *unified.Event, m jsondoc.Value) {
	if context := m.Get("context"); context.Exists() {
		e.ReplyToID = context.Get("id").Text()
		often := context.Get("frequently_forwarded").True()
		if often || context.Get("forwarded").True() {
			e.AddMetadata("forwarded", "true")
		}
		if often {
			e.AddMetadata("frequentlyForwarded", "true")
		}
	}
	if referral := m.Get("referral"); referral.Exists() {
		e.AddMetadata("referralSourceType", referral.Get("source_type").Text())
		e.AddMetadata("referralSourceId", referral.Get("source_id").Text())
		e.AddMetadata("referralSourceUrl", referral.Get("source_url").Text())
		e.AddMetadata("referralClickId", referral.Get("ctwa_clid").Text())
	}
	if problems := m.Get("errors"); problems.Kind() == jsondoc.Array {
		addWhatsAppError(e, problems.First())
	}
}

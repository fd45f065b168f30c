package provider

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/unified"
)

// Zavu, TwaBot and Vobiz send one event in a request: an envelope with the
// event's name and time, and plain fields under "data". They name the fields
// alike but for the spelling, so that one reading serves all three.

// plainMetadata are the fields that become metadata, in each spelling.
var plainMetadata = []struct {
	key   string
	names []string
}{
	{"conversationId", []string{"conversation_id", "conversationId"}},
	{"businessId", []string{"business_id", "businessId"}},
	{"phoneNumberId", []string{"phone_number_id", "phoneNumberId"}},
	{"profileName", []string{"from_name", "customer_name", "profile_name", "profileName"}},
	{"sentBy", []string{"sent_by", "sentBy"}},
	{"templateId", []string{"template_id", "templateId"}},
	{"templateName", []string{"template_name", "templateName"}},
	{"reason", []string{"reason"}},
	{"broadcastId", []string{"broadcast_id", "broadcastId"}},
	{"campaignId", []string{"campaign_id", "campaignId"}},
	{"campaignName", []string{"campaign_name", "campaignName"}},
	{"totalRecipients", []string{"total_recipients", "totalRecipients"}},
	{"sent", []string{"sent"}},
	{"delivered", []string{"delivered"}},
	{"read", []string{"read"}},
	{"failed", []string{"failed"}},
}

// outgoing are the types whose "to" is the other party.
var outgoing = []string{
	unified.MessageQueued, unified.MessageSent, unified.MessageDelivered, unified.MessageRead,
	unified.MessageFailed, unified.AIReplied,
}

// enveloped adds the delivery's one event: of a type where its name has one here,
// else under its name, and as unknown where there is no name or no data.
func (d *Delivery) enveloped(name, typ string, data jsondoc.Value) *unified.Event {
	switch {
	case name == "" || data.Kind() != jsondoc.Object:
		return d.Other("unknown", d.Data())
	case typ == "":
		return d.Other(name, d.Data())
	default:
		return d.Event(typ, name, d.Data())
	}
}

// plain fills an event from its plain fields; phone makes an address of a
// number.
func plain(e *unified.Event, data jsondoc.Value, phone func(string) string) {
	plainParties(e, data, phone)
	e.MessageID = firstText(data, "message_id", "messageId")
	e.ReplyToID = cmp.Or(data.Get("context").Get("id").Text(), data.Get("content").Get("replyToMessageId").Text())
	e.MessageType = firstText(data, "messageType", "message_type", "type")
	content := data.Get(e.MessageType) // as Meta nests it
	e.Message = cmp.Or(firstText(data, "text", "ai_response", "first_message", "caption"), firstText(content, "body", "caption"))
	plainAttachment(e, data, mediaFields)
	plainAttachment(e, data.Get("content"), mediaFields)
	plainAttachment(e, content, nestedFields)
	plainLocation(e, data)
	if e.Type == unified.MessageReceived {
		e.MessageType = cmp.Or(e.MessageType, plainType(e))
	}
	e.Error = plainError(data)
	for _, m := range plainMetadata {
		e.AddMetadata(m.key, firstText(data, m.names...))
	}
}

// plainParties tells the other party from our own side by the direction.
func plainParties(e *unified.Event, data jsondoc.Value, phone func(string) string) {
	from := firstText(data, "from", "customer_phone", "wa_id")
	to := firstText(data, "to", "recipient_id")
	e.SenderID, e.RecipientID = phone(from), phone(to)
	e.ConversationID, e.AccountID = from, phone(to)
	if from == "" || slices.Contains(outgoing, e.Type) {
		e.ConversationID, e.AccountID = to, phone(from)
	}
	e.AccountID = cmp.Or(firstText(data, "phone_number_id", "phoneNumberId"), e.AccountID, firstText(data, "business_id", "businessId"))
}

// plainType is the kind of a message that does not say it.
func plainType(e *unified.Event) string {
	switch {
	case len(e.Attachments) > 0:
		return e.Attachments[0].Type
	case e.Message != "":
		return "text"
	default:
		return "unsupported"
	}
}

// fileFields are the names of a file's id and of its URL.
type fileFields struct{ ids, urls []string }

var (
	mediaFields  = fileFields{[]string{"media_id", "mediaId"}, []string{"media_url", "mediaUrl"}}
	nestedFields = fileFields{[]string{"id"}, []string{"url", "link"}} // in an object of their own
)

// plainAttachment adds the file whose fields stand in v, if there is one.
func plainAttachment(e *unified.Event, v jsondoc.Value, fields fileFields) {
	a := unified.Attachment{
		ID:       firstText(v, fields.ids...),
		URL:      firstText(v, fields.urls...),
		MimeType: firstText(v, "mime_type", "mimeType"),
		Name:     firstText(v, "file_name", "filename"),
		SHA256:   firstText(v, "sha256"),
	}
	if a.ID == "" && a.URL == "" {
		return
	}
	a.Type = attachmentType(cmp.Or(firstText(v, "media_type", "mediaType"), e.MessageType, a.MimeType))
	e.Attachments = append(e.Attachments, a)
}

// plainLocation reads Meta's "location", or the fields of Zavu's "content".
func plainLocation(e *unified.Event, data jsondoc.Value) {
	place := firstObject(data, "location", "content")
	e.Location = unified.Location{
		Latitude:  jsonNumber(place.Get("latitude")),
		Longitude: jsonNumber(place.Get("longitude")),
		Name:      firstText(place, "name", "locationName"),
		Address:   firstText(place, "address", "locationAddress"),
	}
}

// attachmentType is the word for a provider's word or a media type.
func attachmentType(word string) string {
	word, _, _ = strings.Cut(word, "/")
	switch word {
	case "image", "audio", "video", "document", "sticker":
		return word
	case "voice":
		return "audio"
	default:
		return "file"
	}
}

// plainError reads error fields, an error object, or the first of a list.
func plainError(data jsondoc.Value) unified.Error {
	first := data.Get("error")
	if !first.Exists() {
		first = data.Get("errors").First()
	}
	return unified.Error{
		Code:    cmp.Or(firstText(data, "errorCode", "error_code"), firstText(first, "code")),
		Message: cmp.Or(firstText(data, "errorMessage", "error_message"), firstText(first, "message", "title"), first.Text()),
	}
}

package provider

import (
	"strconv"
	"strings"

	"github.com/hookward/hookward/core/internal/form"
	"github.com/hookward/hookward/core/unified"
)

// twilioMessageStatus are the statuses of an outgoing message.
// https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
var twilioMessageStatus = map[string]string{
	"accepted":    unified.MessageQueued,
	"scheduled":   unified.MessageQueued,
	"queued":      unified.MessageQueued,
	"sending":     unified.MessageQueued,
	"sent":        unified.MessageSent,
	"delivered":   unified.MessageDelivered,
	"read":        unified.MessageRead,
	"undelivered": unified.MessageFailed,
	"failed":      unified.MessageFailed,
}

func twilioMessageSid(f form.Form) string {
	return firstOf(f.Get("MessageSid"), f.Get("SmsSid"), f.Get("SmsMessageSid"))
}

// twilioMessage is a message for us, or the status of one from us.
func twilioMessage(d *Delivery) {
	switch status := firstOf(d.Form.Get("MessageStatus"), d.Form.Get("SmsStatus")); status {
	case "", "received", "receiving":
		twilioReceived(d, firstOf(status, "received"))
	default:
		twilioStatus(d, status)
	}
}

// https://www.twilio.com/docs/messaging/guides/webhook-request
func twilioReceived(d *Delivery, status string) {
	f := d.Form
	e := d.Event(unified.MessageReceived, status, d.Data())
	twilioParties(e, f)
	e.ID = e.MessageID
	e.ConversationID, e.AccountID = e.SenderID, e.RecipientID
	e.Message = firstOf(f.Get("Body"), f.Get("ButtonText"), f.Get("ListTitle"))
	e.ReplyToID = f.Get("OriginalRepliedMessageSid")
	twilioMedia(e, f)
	if f.Get("MessageType") == "sticker" && len(e.Attachments) > 0 {
		e.Attachments[0].Type = "sticker"
	}
	e.Location = unified.Location{
		Latitude: f.Get("Latitude"), Longitude: f.Get("Longitude"),
		Name: f.Get("Label"), Address: f.Get("Address"),
	}
	e.MessageType = twilioMessageType(e, f)
	e.AddMetadata("profileName", f.Get("ProfileName"))
	e.AddMetadata("payload", firstOf(f.Get("ButtonPayload"), f.Get("ListId"), f.Get("InteractiveData")))
	_, userID := twilioAddress(f.Get("ExternalUserId"))
	e.AddMetadata("userId", userID)
	e.AddMetadata("forwarded", f.Get("Forwarded"))
	twilioAccount(e, f)
}

func twilioStatus(d *Delivery, status string) {
	f := d.Form
	typ := firstOf(twilioMessageStatus[status], d.Provider+"."+status)
	e := d.Event(typ, status, d.Data())
	twilioParties(e, f)
	e.ID = e.MessageID + ":" + status
	e.ConversationID, e.AccountID = e.RecipientID, e.SenderID
	if typ == unified.MessageFailed {
		e.Error = unified.Error{Code: f.Get("ErrorCode"), Message: f.Get("ErrorMessage")}
	}
	twilioAccount(e, f)
}

func twilioParties(e *unified.Event, f form.Form) {
	var from, to string
	from, e.SenderID = twilioAddress(f.Get("From"))
	to, e.RecipientID = twilioAddress(f.Get("To"))
	e.Channel = firstOf(from, to, "sms")
	e.MessageID = twilioMessageSid(f)
}

func twilioAccount(e *unified.Event, f form.Form) {
	e.AddMetadata("accountSid", f.Get("AccountSid"))
	e.AddMetadata("messagingServiceSid", f.Get("MessagingServiceSid"))
}

// twilioMedia reads MediaUrl0, MediaUrl1, … as far as there are any.
func twilioMedia(e *unified.Event, f form.Form) {
	if f.Get("NumMedia") == "0" {
		return
	}
	for i := 0; ; i++ {
		n := strconv.Itoa(i)
		url := f.Get("MediaUrl" + n)
		if url == "" {
			return
		}
		mime := f.Get("MediaContentType" + n)
		e.Attachments = append(e.Attachments, unified.Attachment{Type: mediaType(mime), URL: url, MimeType: mime})
	}
}

// mediaType is an attachment's type by its MIME type.
func mediaType(mime string) string {
	switch kind, _, _ := strings.Cut(mime, "/"); kind {
	case "image", "audio", "video":
		return kind
	case "application", "text":
		return "document"
	default:
		return "file"
	}
}

func twilioMessageType(e *unified.Event, f form.Form) string {
	switch {
	case len(e.Attachments) > 0 && e.Attachments[0].Type == "file":
		return "document"
	case len(e.Attachments) > 0:
		return e.Attachments[0].Type
	case f.Get("Latitude") != "":
		return "location"
	case f.Get("ButtonPayload") != "", f.Get("ListId") != "", f.Get("InteractiveData") != "":
		return "interactive"
	default:
		return "text"
	}
}

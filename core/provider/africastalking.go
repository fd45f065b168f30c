package provider

import (
	"time"

	"github.com/hookward/hookward/core/unified"
)

// Africa's Talking signs nothing and sets no headers: a key of the operator's
// choosing in the callback's URL is all that tells it from a stranger, so the
// gate's allow_ips should name its addresses, too. What a callback is about
// shows in its parameters alone.
// https://developers.africastalking.com
var _ = register(&Provider{
	Name:  "africastalking",
	Title: "Africa's Talking (SMS, USSD, Voice, Airtime, Payments)",
	Docs:  "https://developers.africastalking.com",
	Auth: Auth{
		Headers: []string{"X-Api-Key"},
		Query:   "apiKey",
	},
	Body:        ByContentType,
	Retries:     "no",
	Window:      24 * time.Hour,
	Identity:    "SMS: id; delivery report: id, status and retryCount; else the digest of the body; USSD, voice, validations, opt-outs and subscriptions are not claimed",
	ReplayBound: "as often as it is sent: nothing is signed, who has the key can send anything",
	Map:         mapAfricasTalking,
})

// mapAfricasTalking sorts by the parameters that only one kind of callback has;
// the order matters where a kind has all of another's.
func mapAfricasTalking(d *Delivery) {
	has := func(name string) bool { return field(d, name) != "" }
	switch {
	case has("isActive") && has("sessionId"):
		atVoice(d)
	case has("sessionId") && has("status"):
		atUSSDEnd(d)
	case has("sessionId") && has("serviceCode"):
		atUSSD(d)
	case has("updateType"):
		atSubscriber(d, "subscription")
	case has("requestId"):
		atPaid(d, "airtime", "requestId")
	case has("sourceIpAddress") && has("transactionId"):
		atValidation(d, "airtime_validation")
	case has("transactionId"):
		atPaid(d, "payment", "transactionId")
	case has("productName") && has("value"):
		atValidation(d, "payment_validation")
	case has("id") && has("status"):
		atDelivery(d)
	case has("id") && has("from"):
		atMessage(d)
	case has("senderId") && has("phoneNumber"):
		atSubscriber(d, "opt_out")
	default:
		d.Other("unknown", d.Data())
	}
}

// atMessage is an SMS to us. Its date has no zone in most accounts, and nothing
// says which is meant: then the time of receipt stands in.
// https://developers.africastalking.com/docs/sms/notifications
func atMessage(d *Delivery) {
	e := d.Event(unified.MessageReceived, "received", d.Data())
	e.ID = field(d, "id")
	e.Identity = unified.Identity{"sms", e.ID}
	e.Channel = "sms"
	e.Time = rfc3339(field(d, "date"))
	e.SenderID, e.RecipientID = e164(field(d, "from")), field(d, "to")
	e.ConversationID, e.AccountID = e.SenderID, e.RecipientID
	e.Message, e.MessageID, e.MessageType = field(d, "text"), e.ID, "text"
	e.AddMetadata("linkId", field(d, "linkId"))
	e.AddMetadata("networkCode", field(d, "networkCode"))
}

var atDeliveryStatus = map[string]string{
	"Sent":             unified.MessageSent,
	"Submitted":        unified.MessageSent,
	"Buffered":         unified.MessageSent,
	"Success":          unified.MessageDelivered,
	"Rejected":         unified.MessageFailed,
	"Failed":           unified.MessageFailed,
	"AbsentSubscriber": unified.MessageFailed,
	"Expired":          unified.MessageFailed,
}

// atDelivery is what became of an SMS from us.
func atDelivery(d *Delivery) {
	id, status, retries := field(d, "id"), field(d, "status"), field(d, "retryCount")
	typ := firstOf(atDeliveryStatus[status], d.Provider+"."+status)
	e := d.Event(typ, status, d.Data())
	e.ID = firstOf(joined(d, "id", "status", "retryCount"), joined(d, "id", "status"))
	e.Identity = unified.Identity{"delivery", id, status, retries}
	e.Channel, e.MessageID = "sms", id
	e.RecipientID = e164(field(d, "phoneNumber"))
	e.ConversationID = e.RecipientID
	if typ == unified.MessageFailed {
		e.Error.Code = firstOf(field(d, "failureReason"), status)
	}
	e.AddMetadata("retryCount", retries)
	e.AddMetadata("networkCode", field(d, "networkCode"))
}

// atSubscriber is somebody who came or left. The callback has neither an id nor
// a date: who leaves twice sends the same bytes, so each one is passed on.
func atSubscriber(d *Delivery, kind string) {
	e := d.Other(kind, d.Data())
	e.Channel = "sms"
	e.SenderID = e164(field(d, "phoneNumber"))
	e.AccountID = firstOf(field(d, "shortCode"), field(d, "senderId"))
	e.Unclaimed, e.ID = true, d.perReceipt(e.SenderID)
	e.AddMetadata("keyword", field(d, "keyword"))
	e.AddMetadata("updateType", field(d, "updateType"))
}

// atPaid is the outcome of airtime or money that moved, known by its digest.
func atPaid(d *Delivery, kind, id string) {
	e := d.Other(kind, d.Data())
	e.ID = joined(d, id, "status")
	e.RecipientID = e164(field(d, "phoneNumber"))
	e.AddMetadata(id, field(d, id))
	e.AddMetadata("status", field(d, "status"))
	e.AddMetadata("category", field(d, "category"))
	e.AddMetadata("value", field(d, "value"))
}

// atValidation asks whether airtime or money may move: the answer decides, so
// the gate never gives it.
func atValidation(d *Delivery, kind string) {
	e := d.Other(kind, d.Data())
	subject := firstOf(field(d, "transactionId"), field(d, "clientAccount"), field(d, "phoneNumber"))
	e.Unclaimed, e.ID = true, d.perReceipt(subject)
	e.AddMetadata("transactionId", field(d, "transactionId"))
}

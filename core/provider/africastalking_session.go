package provider

import (
	"strings"

	"github.com/hookward/hookward/core/unified"
)

// atSession is an event of a USSD or voice session. The answer to a step is the
// product, so none is ever claimed, the end notifications included.
func atSession(d *Delivery, typ, channel string) *unified.Event {
	e := d.Event(typ, nameIn(typ), d.Data())
	e.Channel = channel
	e.ConversationID = field(d, "sessionId")
	e.Unclaimed, e.ID = true, d.perReceipt(e.ConversationID)
	e.AddMetadata("sessionId", e.ConversationID)
	return e
}

// atUSSD is a step of a session: text holds all that was entered so far, joined
// by asterisks.
// https://developers.africastalking.com/docs/ussd/handle_sessions
func atUSSD(d *Delivery) {
	input := field(d, "text")
	typ := unified.USSDSessionStart
	if input != "" {
		typ = unified.USSDInput
	}
	e := atSession(d, typ, "ussd")
	if input != "" {
		e.Message, e.HasMessage = input[strings.LastIndexByte(input, '*')+1:], true
	}
	atUSSDFields(d, e, input)
}

// https://developers.africastalking.com/docs/ussd/notifications
func atUSSDEnd(d *Delivery) {
	e := atSession(d, unified.USSDSessionEnd, "ussd")
	e.Time = rfc3339(field(d, "date"))
	atUSSDFields(d, e, field(d, "input"))
	status := field(d, "status")
	if status != "Success" {
		e.Error = unified.Error{Code: status, Message: field(d, "errorMessage")}
	}
	e.AddMetadata("status", status)
	e.AddMetadata("durationInMillis", field(d, "durationInMillis"))
	e.AddMetadata("hopsCount", field(d, "hopsCount"))
	e.AddMetadata("cost", field(d, "cost"))
}

func atUSSDFields(d *Delivery, e *unified.Event, input string) {
	e.SenderID = e164(field(d, "phoneNumber"))
	e.AccountID = field(d, "serviceCode")
	e.AddMetadata("serviceCode", e.AccountID)
	e.AddMetadata("networkCode", field(d, "networkCode"))
	e.AddMetadata("input", input)
}

// atVoice is a request for instructions, or, with isActive 0, the last one of a
// call, with what it came to.
// https://developers.africastalking.com/docs/voice/handle_calls
func atVoice(d *Delivery) {
	digits := field(d, "dtmfDigits")
	typ := unified.CallStarted
	switch {
	case field(d, "isActive") == "0":
		typ = unified.CallCompleted
	case digits != "":
		typ = unified.CallInput
	}
	e := atSession(d, typ, "voice")
	if typ == unified.CallInput {
		e.Message = digits
	}
	e.SenderID = e164(field(d, "callerNumber"))
	e.RecipientID = e164(field(d, "destinationNumber"))
	e.AccountID = e.RecipientID
	if url := field(d, "recordingUrl"); url != "" {
		e.Attachments = append(e.Attachments, unified.Attachment{Type: "audio", URL: url})
	}
	e.AddMetadata("callStatus", field(d, "callSessionState"))
	e.AddMetadata("direction", field(d, "direction"))
	e.AddMetadata("duration", field(d, "durationInSeconds"))
	e.AddMetadata("hangupCause", field(d, "hangupCause"))
	e.AddMetadata("amount", field(d, "amount"))
	e.AddMetadata("currencyCode", field(d, "currencyCode"))
}

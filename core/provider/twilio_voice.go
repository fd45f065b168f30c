package provider

import (
	"strings"

	"github.com/hookward/hookward/core/internal/form"
	"github.com/hookward/hookward/core/unified"
)

// twilioFinal are the statuses that a call ends with.
var twilioFinal = map[string]string{
	"completed": unified.CallCompleted,
	"busy":      unified.CallFailed,
	"no-answer": unified.CallFailed,
	"canceled":  unified.CallFailed,
	"failed":    unified.CallFailed,
}

// twilioCall is a request for instructions, whose answer steers the call, or a
// status call-back: that has a SequenceNumber or a final status.
// https://www.twilio.com/docs/voice/twiml#request-parameters
func twilioCall(d *Delivery) {
	f := d.Form
	status, sequence := f.Get("CallStatus"), f.Get("SequenceNumber")
	instruction := sequence == "" && twilioFinal[status] == ""
	typ := twilioCallStatus(status)
	if instruction {
		typ = twilioInstruction(f, status)
	}
	e := d.Event(typ, firstOf(status, nameIn(typ)), d.Data())
	switch {
	case instruction:
		e.Unclaimed = true
		e.ID = d.perReceipt(f.Get("CallSid"))
	case !f.Has("StableSpeechResult") && !f.Has("UnstableSpeechResult"):
		// Partial speech results have a numbering of their own.
		e.ID = joined(d, "CallSid", "CallStatus", "SequenceNumber")
	}
	twilioCallFields(e, f)
}

// twilioInstruction is the type of a request for instructions.
func twilioInstruction(f form.Form, status string) string {
	switch {
	case f.Has("Digits"), f.Has("SpeechResult"):
		return unified.CallInput
	case status == "ringing", status == "queued", status == "initiated":
		return unified.CallStarted
	default:
		return unified.CallUpdated
	}
}

// twilioCallStatus is the type of a status call-back.
func twilioCallStatus(status string) string {
	if status == "initiated" {
		return unified.CallStarted
	}
	return firstOf(twilioFinal[status], unified.CallUpdated)
}

func twilioCallFields(e *unified.Event, f form.Form) {
	e.Channel = "voice"
	e.Time = twilioTime(f.Get("Timestamp"))
	_, e.SenderID = twilioAddress(f.Get("From"))
	_, e.RecipientID = twilioAddress(f.Get("To"))
	e.ConversationID = f.Get("CallSid")
	switch direction := f.Get("Direction"); {
	case strings.HasPrefix(direction, "outbound"):
		e.AccountID = e.SenderID
	case direction == "inbound":
		e.AccountID = e.RecipientID
	}
	if e.Type == unified.CallInput {
		e.Message, e.HasMessage = firstOf(f.Get("Digits"), f.Get("SpeechResult")), true
	}
	if e.Type == unified.CallFailed {
		e.Error = unified.Error{Code: f.Get("ErrorCode"), Message: f.Get("ErrorMessage")}
	}
	twilioRecording(e, f)
	e.AddMetadata("callId", f.Get("CallSid"))
	e.AddMetadata("callStatus", f.Get("CallStatus"))
	e.AddMetadata("direction", f.Get("Direction"))
	e.AddMetadata("duration", f.Get("CallDuration"))
	e.AddMetadata("parentCallId", f.Get("ParentCallSid"))
	e.AddMetadata("dialCallStatus", f.Get("DialCallStatus"))
	e.AddMetadata("answeredBy", f.Get("AnsweredBy"))
	e.AddMetadata("confidence", f.Get("Confidence"))
}

func twilioRecording(e *unified.Event, f form.Form) {
	if url := f.Get("RecordingUrl"); url != "" {
		e.Attachments = append(e.Attachments, unified.Attachment{Type: "audio", ID: f.Get("RecordingSid"), URL: url})
	}
}

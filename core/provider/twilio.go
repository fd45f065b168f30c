package provider

import (
	"strings"
	"time"
)

// Twilio signs the URL together with the form, and asks by the same requests
// that tell: the answer to an incoming message or call is TwiML.
// https://www.twilio.com/docs/usage/webhooks
var _ = register(&Provider{
	Name:  "twilio",
	Title: "Twilio (SMS, MMS, WhatsApp, Voice)",
	Docs:  "https://www.twilio.com/docs/usage/webhooks/webhooks-security",
	Auth: Auth{
		Headers:   []string{"X-Twilio-Signature"},
		Algorithm: SHA1,
		Encoding:  Base64,
		Signed:    URLAndForm,
	},
	Methods:     []string{"POST", "GET"},
	Body:        ByContentType,
	Retries:     "once, where the connection failed",
	Window:      24 * time.Hour,
	Identity:    "the digest of the signed string; voice instructions are not claimed, each is to be answered",
	ReplayBound: "24 h, since nothing signed says when a delivery was sent; a captured voice instruction passes as often as it is sent",
	Ack:         Ack{ContentType: "text/xml", Body: "<Response/>"},
	Map:         mapTwilio,
})

// mapTwilio sorts by the parameters that only one kind of request has. The
// identity of every event is the digest, since the signature covers names and
// values run together: one signature fits several splittings.
func mapTwilio(d *Delivery) {
	f := d.Form
	switch {
	case f.Get("ConversationSid") != "", f.Get("ChannelSid") != "":
		twilioOther(d) // has a message's parameters, and is none of ours
	case twilioNotice(d):
	case f.Get("CallSid") != "":
		twilioCall(d)
	case twilioMessageSid(f) != "":
		twilioMessage(d)
	default:
		twilioOther(d)
	}
}

// twilioOther names what there is no type for by Twilio's own word for it.
func twilioOther(d *Delivery) {
	native := firstOf(field(d, "EventType"), field(d, "StatusCallbackEvent"), "unknown")
	d.Other(native, d.Data())
}

// twilioNotices are call-backs about a call that steer nothing: the parameters
// that name one and say what happened, and with them make its id.
var twilioNotices = []struct {
	name string
	id   []string
}{
	{"transcription", []string{"TranscriptionSid", "TranscriptionStatus"}},
	{"transcription", []string{"TranscriptionSid", "TranscriptionEvent", "SequenceId"}},
	{"recording", []string{"RecordingSid", "RecordingStatus"}},
	{"conference", []string{"ConferenceSid", "StatusCallbackEvent", "SequenceNumber"}},
	{"stream", []string{"StreamSid", "StreamEvent", "Timestamp"}},
}

func twilioNotice(d *Delivery) bool {
	for _, n := range twilioNotices {
		if d.Form.Get(n.id[0]) == "" || d.Form.Get(n.id[1]) == "" {
			continue
		}
		e := d.Other(n.name, d.Data())
		e.ID = joined(d, n.id...)
		e.Channel = "voice"
		e.ConversationID = d.Form.Get("CallSid")
		e.Time = twilioTime(d.Form.Get("Timestamp"))
		e.AddMetadata("callId", d.Form.Get("CallSid"))
		e.AddMetadata("status", d.Form.Get(n.id[1]))
		twilioRecording(e, d.Form)
		return true
	}
	return false
}

// twilioChannels are the prefixes of addresses that say how a message travels.
var twilioChannels = []string{"whatsapp", "messenger", "rcs"}

// twilioAddress cuts off such a prefix; other addresses (client:, sip:) stay.
func twilioAddress(address string) (channel, rest string) {
	for _, channel := range twilioChannels {
		if rest, ok := strings.CutPrefix(address, channel+":"); ok {
			return channel, rest
		}
	}
	return "", address
}

// twilioTime reads RFC 2822, and RFC 3339 as the newer products write it.
func twilioTime(text string) time.Time {
	if t, ok := date(time.RFC1123Z, text); ok {
		return plausible(t)
	}
	return rfc3339(text)
}

package provider

import (
	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/unified"
)

// message is a message to us, of ours, or taken back.
func (m *metaEntry) message(item, body jsondoc.Value) {
	kind := messageKind(body)
	e := m.exchange(messengerTypes[kind], "message", item)
	e.MessageID = body.Get("mid").Text()
	m.needsSender(e)
	identify(e, kind, e.MessageID)
	if kind != "deleted" {
		messengerContent(e, body)
	}
	e.AddMetadata("appId", body.Get("app_id").Text())
}

var messengerTypes = map[string]string{
	"message": unified.MessageReceived,
	"echo":    unified.MessageSent,
	"deleted": unified.MessageDeleted,
}

func messageKind(body jsondoc.Value) string {
	switch {
	case body.Get("is_deleted").True():
		return "deleted"
	case body.Get("is_echo").True():
		return "echo"
	default:
		return "message"
	}
}

func messengerContent(e *unified.Event, body jsondoc.Value) {
	e.Message = body.Get("text").Text()
	if e.Message != "" {
		e.MessageType = "text"
	}
	if list := body.Get("attachments"); list.Kind() == jsondoc.Array {
		for a := list.First(); a.Exists(); a = a.Next() {
			messengerAttachment(e, a)
		}
	}
	if e.MessageType == "" { // is_unsupported, or nothing that could be shown
		e.MessageType = "unsupported"
	}
	reply := body.Get("reply_to")
	e.ReplyToID = reply.Get("mid").Text()
	e.AddMetadata("payload", body.Get("quick_reply").Get("payload").Text())
	e.AddMetadata("storyId", reply.Get("story").Get("id").Text())
	e.AddMetadata("storyUrl", reply.Get("story").Get("url").Text())
	addReferral(e, body.Get("referral"))
}

// messengerFiles are Meta's words for files, in ours: the message's type, the
// attachment's.
var messengerFiles = map[string][2]string{
	"image":    {"image", "image"},
	"audio":    {"audio", "audio"},
	"video":    {"video", "video"},
	"file":     {"document", "file"},
	"reel":     {"video", "video"},
	"ig_reel":  {"video", "video"},
	"location": {"location", "file"},
}

// messengerAttachment takes over a file or a place. The first one classes the
// message, save the preview of a link in its text.
func messengerAttachment(e *unified.Event, a jsondoc.Value) {
	typ, payload := a.Get("type").Text(), a.Get("payload")
	words, ok := messengerFiles[typ]
	if !ok { // share, story_mention, template, fallback, …
		words = [2]string{typ, "file"}
	}
	if payload.Get("sticker_id").Exists() {
		words = [2]string{"sticker", "sticker"}
	}
	first := len(e.Attachments) == 0 && e.Location.Latitude == ""
	if first && (typ != "fallback" || e.Message == "") {
		e.MessageType = words[0]
	}
	if at := payload.Get("coordinates"); at.Exists() {
		e.Location = unified.Location{Latitude: jsonNumber(at.Get("lat")), Longitude: jsonNumber(at.Get("long")), Name: a.Get("title").Text()}
		return
	}
	url := firstOf(payload.Get("url").Text(), a.Get("url").Text())
	if url == "" {
		return
	}
	e.Attachments = append(e.Attachments, unified.Attachment{
		Type: words[1],
		ID:   firstText(payload, "sticker_id", "attachment_id", "reel_video_id"),
		URL:  url,
		Name: payload.Get("title").Text(),
	})
}

package provider

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/unified"
)

// telegramTypes are the updates that have a type of their own; every other kind
// is telegram.<kind>. https://core.telegram.org/bots/api#update
var telegramTypes = map[string]string{
	"message":                 unified.MessageReceived,
	"channel_post":            unified.MessageReceived,
	"business_message":        unified.MessageReceived,
	"edited_message":          unified.MessageEdited,
	"edited_channel_post":     unified.MessageEdited,
	"edited_business_message": unified.MessageEdited,
	"callback_query":          unified.MessageReceived,
	"message_reaction":        unified.MessageReaction,
}

// telegramContents are the members by which a message's kind is told, in the
// order in which they count: an animation comes with a document for old bots, a
// venue with a location. https://core.telegram.org/bots/api#message
var telegramContents = []struct{ member, messageType, attachment string }{
	{"text", "text", ""},
	{"photo", "image", "image"},
	{"animation", "video", "video"},
	{"video", "video", "video"},
	{"video_note", "video", "video"},
	{"voice", "audio", "audio"},
	{"audio", "audio", "audio"},
	{"document", "document", "document"},
	{"sticker", "sticker", "sticker"},
	{"venue", "location", ""},
	{"location", "location", ""},
	{"contact", "contacts", ""},
	{"poll", "poll", ""},
	{"dice", "dice", ""},
	{"story", "story", ""},
}

// mapTelegram reads one update: its number and one object, whose name is the
// update's kind.
func mapTelegram(d *Delivery) {
	kind, v := telegramKind(d.JSON)
	typ, known := telegramTypes[kind]
	if !known {
		typ = d.Provider + "." + kind
	}
	e := d.Event(typ, kind, d.Data())
	if id := d.JSON.Get("update_id").Text(); id != "" {
		e.ID = id
		e.Identity = unified.Identity{"update", id}
	}
	telegramPeople(e, v)
	switch {
	case kind == "callback_query":
		telegramCallback(e, v)
	case kind == "message_reaction":
		telegramReaction(e, v)
	case known:
		telegramMessage(e, v)
	}
}

// telegramKind is the first object in the update and its name. An update has two
// members: it is among the first, or this is none.
func telegramKind(update jsondoc.Value) (kind string, v jsondoc.Value) {
	const most = 64
	for m, n := update.First(), 0; m.Exists() && n < most; m, n = m.Next(), n+1 {
		if m.Kind() != jsondoc.Object || m.Name() == "" {
			continue
		}
		if v = update.Get(m.Name()); v.Kind() == jsondoc.Object { // of a repeated one the last
			return m.Name(), v
		}
	}
	return "unknown", jsondoc.Value{}
}

// telegramPeople fills who, where and when, which most kinds of updates name
// alike.
func telegramPeople(e *unified.Event, v jsondoc.Value) {
	chat := v.Get("chat")
	who := firstObject(v, "from", "user", "sender_chat", "actor_chat", "voter_chat", "chat")
	e.SenderID = who.Get("id").Text()
	e.ConversationID = chat.Get("id").Text()
	e.Time = seconds(v.Get("date").Text())
	e.AddMetadata("username", who.Get("username").Text())
	e.AddMetadata("profileName", telegramName(who))
	e.AddMetadata("chatType", chat.Get("type").Text())
}

// telegramName is a person's name or a chat's title.
func telegramName(who jsondoc.Value) string {
	name := who.Get("first_name").Text() + " " + who.Get("last_name").Text()
	return cmp.Or(strings.TrimSpace(name), who.Get("title").Text())
}

func telegramMessage(e *unified.Event, m jsondoc.Value) {
	if edited := seconds(m.Get("edit_date").Text()); e.Type == unified.MessageEdited && !edited.IsZero() {
		e.Time = edited
	}
	e.MessageID = telegramMessageID(m)
	e.ReplyToID = telegramMessageID(m.Get("reply_to_message"))
	e.Message = cmp.Or(m.Get("text").Text(), m.Get("caption").Text())
	e.MessageType = "unsupported"
	for _, c := range telegramContents {
		content := m.Get(c.member)
		if !content.Exists() {
			continue
		}
		e.MessageType = c.messageType
		if c.attachment != "" {
			telegramAttachment(e, c.attachment, content)
		}
		break
	}
	telegramLocation(e, m)
}

// telegramMessageID is the message's number in its chat. A message that is shown
// to one member only has the number 0 and one of another kind.
func telegramMessageID(m jsondoc.Value) string {
	id := m.Get("message_id").Text()
	if id == "0" {
		return cmp.Or(m.Get("ephemeral_message_id").Text(), id)
	}
	return id
}

func telegramAttachment(e *unified.Event, typ string, file jsondoc.Value) {
	if file.Kind() == jsondoc.Array {
		file = largestPhoto(file)
	}
	e.Attachments = append(e.Attachments, unified.Attachment{
		Type:     typ,
		ID:       file.Get("file_id").Text(),
		MimeType: file.Get("mime_type").Text(),
		Name:     file.Get("file_name").Text(),
		Size:     file.Get("file_size").Text(),
	})
}

// largestPhoto is the one with the most pixels of a photo's sizes.
func largestPhoto(sizes jsondoc.Value) jsondoc.Value {
	largest, most := sizes.First(), int64(-1)
	for s := sizes.First(); s.Exists(); s = s.Next() {
		width, _ := strconv.ParseInt(s.Get("width").Text(), 10, 32)
		height, _ := strconv.ParseInt(s.Get("height").Text(), 10, 32)
		if width*height > most {
			largest, most = s, width*height
		}
	}
	return largest
}

func telegramLocation(e *unified.Event, m jsondoc.Value) {
	venue := m.Get("venue")
	place := m.Get("location")
	if !place.Exists() {
		place = venue.Get("location")
	}
	e.Location = unified.Location{
		Latitude:  jsonNumber(place.Get("latitude")),
		Longitude: jsonNumber(place.Get("longitude")),
		Name:      venue.Get("title").Text(),
		Address:   venue.Get("address").Text(),
	}
}

// telegramCallback is the press of a button under a message. Only the message's
// date is told, not the press's.
func telegramCallback(e *unified.Event, query jsondoc.Value) {
	under := query.Get("message")
	e.MessageID = query.Get("id").Text()
	e.MessageType = "interactive"
	e.ReplyToID = telegramMessageID(under)
	e.ConversationID = cmp.Or(under.Get("chat").Get("id").Text(), e.SenderID)
	e.Message = cmp.Or(query.Get("data").Text(), query.Get("game_short_name").Text())
	e.AddMetadata("chatType", under.Get("chat").Get("type").Text())
	e.AddMetadata("payload", query.Get("data").Text())
	e.AddMetadata("callbackQueryId", e.MessageID)
}

// telegramReaction tells what changed from the two lists of one member's
// reactions to a message.
func telegramReaction(e *unified.Event, v jsondoc.Value) {
	before, after := v.Get("old_reaction"), v.Get("new_reaction")
	action, changed := "added", telegramMissing(after, before)
	if !changed.Exists() {
		action, changed = "removed", telegramMissing(before, after)
	}
	e.MessageID = telegramMessageID(v)
	e.MessageType = "reaction"
	e.Message = changed.Get("emoji").Text()
	e.AddMetadata("action", action)
	e.AddMetadata("customEmojiId", changed.Get("custom_emoji_id").Text())
}

// telegramMissing is the first reaction of list that is not in other.
func telegramMissing(list, other jsondoc.Value) jsondoc.Value {
	known := map[string]bool{}
	for r := other.First(); r.Exists(); r = r.Next() {
		known[telegramReactionName(r)] = true
	}
	r := list.First()
	for r.Exists() && known[telegramReactionName(r)] {
		r = r.Next()
	}
	return r
}

// telegramReactionName is the emoji, a custom emoji's number, or the type of a
// reaction that has neither.
func telegramReactionName(r jsondoc.Value) string {
	return cmp.Or(r.Get("emoji").Text(), r.Get("custom_emoji_id").Text(), r.Get("type").Text())
}

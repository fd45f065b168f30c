package provider

import (
	"cmp"
	"strings"
	"time"

	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/unified"
)

// xContext are the members of a delivery that are no events: whom it is for, and
// what its events refer to by number.
var xContext = map[string]bool{
	"for_user_id": true, "users": true, "apps": true,
}

// mapX tells the two envelopes apart and walks <kind>[] of the older one.
// https://docs.x.com/x-api/account-activity/introduction
func mapX(d *Delivery) {
	if activity := d.JSON.Get("data"); activity.Get("event_type").Text() != "" {
		xActivity(d, activity)
		return
	}
	last := map[string]jsondoc.Value{} // of a repeated member the last counts
	for m := d.JSON.First(); m.Exists(); m = m.Next() {
		last[m.Name()] = m
	}
	found := false
	for m := d.JSON.First(); m.Exists() && !d.Full(); m = m.Next() {
		if last[m.Name()] == m && xKind(d, m) {
			found = true
		}
	}
	if !found {
		xOther(d, "unknown", d.JSON)
	}
}

// xKind adds the events of one member and says that it is one that holds events,
// if perhaps none.
func xKind(d *Delivery, m jsondoc.Value) bool {
	switch {
	case xContext[m.Name()] || m.Name() == "":
		return false
	case m.Kind() == jsondoc.Object: // user_event, replay_job_status
		xEvent(d, m.Name(), m)
		return true
	case m.Kind() != jsondoc.Array:
		return false
	}
	for v := m.First(); v.Exists() && !d.Full(); v = v.Next() {
		xEvent(d, m.Name(), v)
	}
	return true
}

// xOther adds an event, known by digest and index.
func xOther(d *Delivery, kind string, v jsondoc.Value) *unified.Event {
	e := d.Other(kind, v.Raw())
	e.Channel = "twitter"
	e.AccountID = d.JSON.Get("for_user_id").Text()
	e.Time = xTime(v)
	return e
}

func xEvent(d *Delivery, kind string, v jsondoc.Value) {
	e := xOther(d, kind, v)
	xIdentify(e, kind, v)
	if m := v.Get("message_create"); kind == "direct_message_events" && m.Kind() == jsondoc.Object {
		xDirectMessage(d, e, v, m)
	}
}

// xIdentify names an event by its id, or, for follows, blocks and mutes, by who
// did what to whom when.
func xIdentify(e *unified.Event, kind string, v jsondoc.Value) {
	typ := v.Get("type").Text()
	if id := firstText(v, "id_str", "id"); id != "" {
		e.ID = joinID(e.AccountID, kind, id)
		e.Identity = unified.Identity{e.AccountID, kind, id, typ}
		return
	}
	source, target := firstText(v.Get("source"), "id_str", "id"), firstText(v.Get("target"), "id_str", "id")
	created := v.Get("created_timestamp").Text()
	if typ != "" && source != "" && target != "" && created != "" {
		e.ID = joinID(e.AccountID, kind, typ, source, target, created)
		e.Identity = unified.Identity{e.AccountID, kind, typ, source, target, created}
	}
}

func joinID(parts ...string) string { return strings.Join(parts, ":") }

// xTime reads the times that X writes: milliseconds, a date in the style of
// Ruby, or RFC 3339.
func xTime(v jsondoc.Value) time.Time {
	if t := millis(firstText(v, "created_timestamp", "timestamp_ms")); !t.IsZero() {
		return t
	}
	text := v.Get("created_at").Text()
	if t, ok := date(time.RubyDate, text); ok {
		return plausible(t)
	}
	return rfc3339(cmp.Or(text, v.Get("revoke").Get("date_time").Text()))
}

// xDirectMessage fills a message that was sent to or by the account.
func xDirectMessage(d *Delivery, e *unified.Event, v, m jsondoc.Value) {
	e.Type = unified.MessageReceived
	e.SenderID = m.Get("sender_id").Text()
	e.RecipientID = m.Get("target").Get("recipient_id").Text()
	e.ConversationID = e.SenderID
	if e.SenderID == e.AccountID && e.AccountID != "" {
		e.Type = unified.MessageSent
		e.ConversationID = e.RecipientID
	}
	content := m.Get("message_data")
	e.MessageID = firstText(v, "id_str", "id")
	e.MessageType = "text"
	e.Message = content.Get("text").Text()
	xAttachment(e, content.Get("attachment"))
	sender := d.JSON.Get("users").Get(e.SenderID)
	e.AddMetadata("username", sender.Get("screen_name").Text())
	e.AddMetadata("profileName", sender.Get("name").Text())
	e.AddMetadata("payload", content.Get("quick_reply_response").Get("metadata").Text())
}

// xMedia are X's words for media.
var xMedia = map[string]string{"photo": "image", "video": "video", "animated_gif": "video"}

func xAttachment(e *unified.Event, attachment jsondoc.Value) {
	switch attachment.Get("type").Text() {
	case "media":
		media := attachment.Get("media")
		e.MessageType = cmp.Or(xMedia[media.Get("type").Text()], "file")
		e.Attachments = append(e.Attachments, unified.Attachment{
			Type: e.MessageType,
			ID:   firstText(media, "id_str", "id"),
			URL:  firstText(media, "media_url_https", "media_url"),
		})
	case "location":
		e.MessageType = "location"
		// GeoJSON: the longitude comes first.
		point := attachment.Get("location").Get("shared_coordinate").Get("coordinates").Get("coordinates").First()
		e.Location.Longitude, e.Location.Latitude = jsonNumber(point), jsonNumber(point.Next())
	}
}

// xActivity is an event of the X Activity API.
// https://docs.x.com/x-api/activity/introduction
func xActivity(d *Delivery, activity jsondoc.Value) {
	name := activity.Get("event_type").Text()
	e := d.Other(name, activity.Raw())
	e.Channel = "twitter"
	e.AccountID = activity.Get("filter").Get("user_id").Text()
	if e.Time = xTime(activity); e.Time.IsZero() {
		e.Time = xTime(activity.Get("payload"))
	}
	e.AddMetadata("tag", activity.Get("tag").Text())
	if id := activity.Get("event_uuid").Text(); id != "" {
		e.ID = joinID(e.AccountID, name, id)
		e.Identity = unified.Identity{e.AccountID, name, id}
	}
}

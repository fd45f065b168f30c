// Package unified is the one shape in which a backend receives every
// provider's events, version 1: what an event holds, how it is written as
// JSON, and the JSON Schema that it keeps to.
package unified

import "time"

// Version is the shape's version. Within it fields and types are only added.
const Version = "1"

// The event types that every provider's events are mapped to. What fits none
// of them has the type "<provider>.<native name>".
const (
	MessageReceived     = "message.received"
	MessageQueued       = "message.queued"
	MessageSent         = "message.sent"
	MessageDelivered    = "message.delivered"
	MessageRead         = "message.read"
	MessageFailed       = "message.failed"
	MessageEdited       = "message.edited"
	MessageDeleted      = "message.deleted"
	MessageReaction     = "message.reaction"
	CallStarted         = "call.started"
	CallInput           = "call.input"
	CallUpdated         = "call.updated"
	CallCompleted       = "call.completed"
	CallFailed          = "call.failed"
	USSDSessionStart    = "ussd.session_start"
	USSDInput           = "ussd.input"
	USSDSessionEnd      = "ussd.session_end"
	TemplateApproved    = "template.approved"
	TemplateRejected    = "template.rejected"
	ConversationCreated = "conversation.created"
	BroadcastCompleted  = "broadcast.completed"
	AIReplied           = "ai.replied"
	ContactUpdated      = "contact.updated"
	CampaignCompleted   = "campaign.completed"
)

// Types lists the types above: the fixed words that a metric's label may be.
var Types = [...]string{
	MessageReceived, MessageQueued, MessageSent, MessageDelivered, MessageRead, MessageFailed,
	MessageEdited, MessageDeleted, MessageReaction,
	CallStarted, CallInput, CallUpdated, CallCompleted, CallFailed,
	USSDSessionStart, USSDInput, USSDSessionEnd,
	TemplateApproved, TemplateRejected, ConversationCreated, BroadcastCompleted,
	AIReplied, ContactUpdated, CampaignCompleted,
}

// Event is one thing that happened. Empty fields are left out of the JSON,
// save those that its type promises (see AppendEvent). Strings are plain text,
// Data is JSON.
type Event struct {
	// ID is the identity in a readable form. Left empty by a mapping it
	// becomes "<deliveryId>:<index>".
	ID string
	// Type is one of the types above or "<provider>.<native name>".
	Type string
	// NativeType is the provider's own word for the event.
	NativeType string
	// Channel is whatsapp, sms, voice, …, or the provider's name.
	Channel string
	// Time is when it happened by the provider's clock; zero where the
	// provider says nothing, and the time of receipt stands in.
	Time time.Time
	// SenderID and RecipientID are the two ends, AccountID our side of it,
	// ConversationID what the provider's send API takes as the destination.
	SenderID, RecipientID, ConversationID, AccountID string
	// Message is the text; MessageID and MessageType name and class it;
	// ReplyToID is the message that it answers.
	Message, MessageID, MessageType, ReplyToID string
	// HasMessage lets an empty Message stand in the JSON.
	HasMessage  bool
	Attachments []Attachment
	Location    Location
	Error       Error
	// Metadata is flat; its order is the mapping's.
	Metadata []Pair
	// Data is the provider's own object for this event, as JSON.
	Data string

	// Identity is what tells this event from every other one of its endpoint:
	// the kind of event, the id, and what else varies. All empty, the identity
	// is the delivery's digest and the event's index.
	Identity Identity
	// Unclaimed marks an event whose answer steers something (a voice
	// instruction, a USSD step): each is to be answered, none is kept out.
	Unclaimed bool
}

// Identity is the parts of an event's identity. Parts that a provider left out
// are empty.
type Identity [6]string

// IsZero says that the mapping named no identity.
func (id Identity) IsZero() bool { return id == Identity{} }

// Attachment is a file that came with a message.
type Attachment struct {
	Type     string // image, audio, video, document, sticker, file
	ID       string
	URL      string
	MimeType string
	Name     string
	Size     string // in bytes, as the provider wrote the number
	SHA256   string
}

// Location is a place that came with a message. Latitude and Longitude are
// JSON numbers as the provider wrote them; unless both are, there is no location.
type Location struct {
	Latitude, Longitude, Name, Address string
}

// Error is why something failed, in the provider's code and words.
type Error struct {
	Code, Message string
}

// Pair is one entry of an event's metadata.
type Pair struct {
	Key, Value string
}

// AddMetadata adds an entry unless its value is empty. Inlined in the hundred
// places that call it, it would be 60 KB of a wasm module.
//
//go:noinline
func (e *Event) AddMetadata(key, value string) {
	if value != "" {
		e.Metadata = append(e.Metadata, Pair{key, value})
	}
}

// Complete keeps the shape's promises where the mapping left something empty;
// the ID is set. A message that nobody sent, or that has no place for an answer,
// is called by its native name: what message.received promises it lacks.
func (e *Event) Complete(provider string) {
	if e.NativeType == "" {
		e.NativeType = "unknown"
	}
	if e.Type != MessageReceived {
		return
	}
	if e.SenderID == "" || e.ConversationID == "" {
		e.Type = provider + "." + e.NativeType
		return
	}
	if e.MessageID == "" {
		e.MessageID = e.ID
	}
	if e.MessageType == "" {
		e.MessageType = "unsupported"
	}
}

// reset empties the event and keeps the memory of its lists.
func (e *Event) reset() {
	*e = Event{Attachments: e.Attachments[:0], Metadata: e.Metadata[:0]}
}

// textSize is the length of the texts that an event shares with others, or that
// are made for it: what it adds to the memory beyond its own part of the body.
func (e *Event) textSize() int {
	size := len(e.ID) + len(e.Type) + len(e.NativeType) + len(e.Data) + len(e.Message) +
		len(e.SenderID) + len(e.RecipientID) + len(e.ConversationID) + len(e.AccountID)
	for i := range e.Metadata {
		size += len(e.Metadata[i].Value)
	}
	return size
}

// MaxEvents and MaxSize bound what one delivery may become: five times what Meta
// puts into one, and far more bytes than any body is read. Without them a few
// bytes a hundred thousand times, each with what they share, would fill the
// memory.
const (
	MaxEvents = 5000
	MaxSize   = 32 << 20
)

// Batch is the events of one delivery. Its memory serves one delivery after
// the other.
type Batch struct {
	events []Event
	size   int // of the events before the last
	full   bool
}

// Full says that the delivery holds more than is taken: what is added from now
// on is lost, and so must the delivery be.
func (b *Batch) Full() bool { return b.full }

// Add makes room for one more event and returns it, empty, to be filled before
// the next call.
func (b *Batch) Add() *Event {
	if last := len(b.events) - 1; last >= 0 {
		b.size += b.events[last].textSize()
		if b.full = b.full || last+1 == MaxEvents || b.size > MaxSize; b.full {
			b.events[last].reset()
			return &b.events[last]
		}
	}
	if len(b.events) < cap(b.events) {
		b.events = b.events[:len(b.events)+1] // empty since Reset
	} else {
		b.events = append(b.events, Event{})
	}
	return &b.events[len(b.events)-1]
}

// Events is what has been added, valid until Reset.
func (b *Batch) Events() []Event { return b.events }

// Reset empties the batch, and gives its memory back if it held more than
// limit events.
func (b *Batch) Reset(limit int) {
	if cap(b.events) > limit {
		b.events = nil
	}
	for i := range b.events {
		b.events[i].reset() // or the strings would keep the whole payload alive
	}
	b.events, b.size, b.full = b.events[:0], 0, false
}

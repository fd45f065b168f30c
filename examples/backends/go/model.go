package main

import (
	"encoding/json"
	"time"
)

// Delivery is the body of every request that passed the gate, version 1. What
// each field means stands in core/unified/schema.json.
type Delivery struct {
	Version    string    `json:"version"`
	Provider   string    `json:"provider"`
	Endpoint   string    `json:"endpoint"`
	Assurance  string    `json:"assurance"` // signature or token
	DeliveryID string    `json:"deliveryId"`
	ReceivedAt time.Time `json:"receivedAt"`
	Events     []Event   `json:"events"`
}

// Event is one thing that happened. With Endpoint, ID is the key.
type Event struct {
	ID              string    `json:"id"`
	Type            string    `json:"type"`
	NativeType      string    `json:"nativeType"`
	Provider        string    `json:"provider"`
	Endpoint        string    `json:"endpoint"`
	Channel         string    `json:"channel"`
	Timestamp       time.Time `json:"timestamp"`
	TimestampSource string    `json:"timestampSource"` // provider or gateway

	SenderID       string       `json:"senderId,omitempty"`
	RecipientID    string       `json:"recipientId,omitempty"`
	ConversationID string       `json:"conversationId,omitempty"` // where an answer goes
	AccountID      string       `json:"accountId,omitempty"`
	Message        string       `json:"message,omitempty"`
	MessageID      string       `json:"messageId,omitempty"`
	MessageType    string       `json:"messageType,omitempty"`
	ReplyToID      string       `json:"replyToId,omitempty"`
	Attachments    []Attachment `json:"attachments,omitempty"`
	Location       *Location    `json:"location,omitempty"`
	Error          *Error       `json:"error,omitempty"`

	Metadata map[string]string `json:"metadata"`
	Data     json.RawMessage   `json:"data"` // the provider's own object
}

// Attachment is a file: by its URL, or by its id at the provider.
type Attachment struct {
	Type     string `json:"type"`
	ID       string `json:"id,omitempty"`
	URL      string `json:"url,omitempty"`
	MIMEType string `json:"mimeType,omitempty"`
	Name     string `json:"name,omitempty"` // its sender's: never a path to write to
	Size     int64  `json:"size,omitempty"`
	SHA256   string `json:"sha256,omitempty"`
}

// Location is a place, in degrees.
type Location struct {
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Name      string  `json:"name,omitempty"`
	Address   string  `json:"address,omitempty"`
}

// Error is why something failed, in the provider's words.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
}

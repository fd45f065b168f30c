package unified

import (
	"time"

	"github.com/hookward/hookward/core/internal/jsondoc"
)

// Writer writes one endpoint's deliveries in the unified shape. What all of
// them have in common is written once, when the Writer is made.
type Writer struct {
	head   string // up to the deliveryId
	middle string // of an event, from provider to channel
}

// NewWriter makes the writer of an endpoint. Assurance is signature or token:
// what the endpoint's verdicts stand on.
func NewWriter(provider, endpoint, assurance string) *Writer {
	var head, middle []byte
	head = append(head, `{"version":"`+Version+`"`...)
	head = appendString(head, `,"provider":`, provider)
	head = appendString(head, `,"endpoint":`, endpoint)
	head = appendString(head, `,"assurance":`, assurance)
	head = append(head, `,"deliveryId":`...)
	middle = appendString(middle, `,"provider":`, provider)
	middle = appendString(middle, `,"endpoint":`, endpoint)
	middle = append(middle, `,"channel":`...)
	return &Writer{string(head), string(middle)}
}

// Append writes the body that a backend receives: the envelope and those
// events that keep says true for.
func (w *Writer) Append(dst []byte, deliveryID string, receivedAt time.Time, events []Event, keep func(i int) bool) []byte {
	dst = append(dst, w.head...)
	dst = jsondoc.AppendString(dst, deliveryID)
	dst = append(dst, `,"receivedAt":"`...)
	dst = AppendTime(dst, receivedAt)
	dst = append(dst, `","events":[`...)
	first := true
	for i := range events {
		if !keep(i) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = w.appendEvent(dst, &events[i], receivedAt)
	}
	return append(dst, ']', '}')
}

// appendEvent writes the fields that every event has, those that e's type
// promises, and those that are not empty.
func (w *Writer) appendEvent(dst []byte, e *Event, receivedAt time.Time) []byte {
	received := e.Type == MessageReceived
	dst = append(dst, `{"id":`...)
	dst = jsondoc.AppendString(dst, e.ID)
	dst = appendString(dst, `,"type":`, e.Type)
	dst = appendString(dst, `,"nativeType":`, e.NativeType)
	dst = append(dst, w.middle...)
	dst = jsondoc.AppendString(dst, e.Channel)
	dst = append(dst, `,"timestamp":"`...)
	if e.Time.IsZero() {
		dst = AppendTime(dst, receivedAt)
		dst = append(dst, `","timestampSource":"gateway"`...)
	} else {
		dst = AppendTime(dst, e.Time)
		dst = append(dst, `","timestampSource":"provider"`...)
	}
	dst = appendOptional(dst, `,"senderId":`, e.SenderID, received)
	dst = appendOptional(dst, `,"recipientId":`, e.RecipientID, false)
	dst = appendOptional(dst, `,"conversationId":`, e.ConversationID, received)
	dst = appendOptional(dst, `,"accountId":`, e.AccountID, false)
	dst = appendOptional(dst, `,"message":`, e.Message, received || e.HasMessage)
	dst = appendOptional(dst, `,"messageId":`, e.MessageID, received)
	dst = appendOptional(dst, `,"messageType":`, e.MessageType, received)
	dst = appendOptional(dst, `,"replyToId":`, e.ReplyToID, false)
	dst = appendAttachments(dst, e.Attachments)
	dst = appendLocation(dst, &e.Location)
	dst = appendError(dst, &e.Error)
	dst = appendMetadata(dst, e.Metadata)
	dst = append(dst, `,"data":`...)
	dst = append(dst, e.Data...)
	return append(dst, '}')
}

func appendAttachments(dst []byte, list []Attachment) []byte {
	if len(list) == 0 {
		return dst
	}
	dst = append(dst, `,"attachments":[`...)
	for i := range list {
		a := &list[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"type":`...)
		dst = jsondoc.AppendString(dst, a.Type)
		dst = appendOptional(dst, `,"id":`, a.ID, false)
		dst = appendOptional(dst, `,"url":`, a.URL, false)
		dst = appendOptional(dst, `,"mimeType":`, a.MimeType, false)
		dst = appendOptional(dst, `,"name":`, a.Name, false)
		if isSize(a.Size) {
			dst = append(dst, `,"size":`...)
			dst = append(dst, a.Size...)
		}
		dst = appendOptional(dst, `,"sha256":`, a.SHA256, false)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// isSize says that s can stand in JSON as a whole number as it is.
func isSize(s string) bool {
	if s == "" || (s[0] == '0' && len(s) > 1) {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func appendLocation(dst []byte, l *Location) []byte {
	if l.Latitude == "" || !jsondoc.IsNumber(l.Latitude) || !jsondoc.IsNumber(l.Longitude) {
		return dst
	}
	dst = append(dst, `,"location":{"latitude":`...)
	dst = append(dst, l.Latitude...)
	dst = append(dst, `,"longitude":`...)
	dst = append(dst, l.Longitude...)
	dst = appendOptional(dst, `,"name":`, l.Name, false)
	dst = appendOptional(dst, `,"address":`, l.Address, false)
	return append(dst, '}')
}

func appendError(dst []byte, e *Error) []byte {
	if e.Code == "" && e.Message == "" {
		return dst
	}
	dst = append(dst, `,"error":{"code":`...)
	dst = jsondoc.AppendString(dst, e.Code)
	dst = appendOptional(dst, `,"message":`, e.Message, false)
	return append(dst, '}')
}

func appendMetadata(dst []byte, pairs []Pair) []byte {
	dst = append(dst, `,"metadata":{`...)
	for i := range pairs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = jsondoc.AppendString(dst, pairs[i].Key)
		dst = append(dst, ':')
		dst = jsondoc.AppendString(dst, pairs[i].Value)
	}
	return append(dst, '}')
}

// appendString writes a member; name stands as it does in the JSON, with what
// comes before and after it.
func appendString(dst []byte, name, value string) []byte {
	dst = append(dst, name...)
	return jsondoc.AppendString(dst, value)
}

func appendOptional(dst []byte, name, value string, always bool) []byte {
	if value == "" && !always {
		return dst
	}
	return appendString(dst, name, value)
}

// AppendTime writes t as RFC 3339 in UTC, with three decimals where there are
// milliseconds and none where there are not. The year has four digits, as in all
// times that the providers' mappings let through.
func AppendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	ms := t.Nanosecond() / 1e6
	text := timeText{4: '-', 7: '-', 10: 'T', 13: ':', 16: ':', 19: '.', 22: '0' + byte(ms%10), 23: 'Z'}
	text.set(0, year/100)
	text.set(2, year%100)
	text.set(5, int(month))
	text.set(8, day)
	text.set(11, hour)
	text.set(14, minute)
	text.set(17, second)
	text.set(20, ms/10)
	if ms == 0 {
		text[19] = 'Z'
		return append(dst, text[:20]...)
	}
	return append(dst, text[:]...)
}

// timeText is a time with milliseconds.
type timeText [24]byte

// set writes two digits.
func (t *timeText) set(at, n int) {
	tens := uint32(n) / 10
	t[at], t[at+1] = '0'+byte(tens), '0'+byte(uint32(n)-10*tens)
}

package provider

import (
	"strconv"
	"unsafe"

	"github.com/hookward/hookward/core/internal/form"
	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/unified"
)

// Delivery is an authentic delivery, read once: a JSON object or a form.
type Delivery struct {
	// JSON is the body's object, absent where the body is a form.
	JSON jsondoc.Value
	// Form is the body's parameters, or the query's for a delivery by GET.
	Form     form.Form
	formJSON string // Form as a JSON object, once Data was asked for it
	// Provider is the sender's name.
	Provider string
	// ReceivedMillis is the time of receipt in Unix
	// milliseconds: what an event that is never claimed is named by.
	ReceivedMillis int64

	batch  *unified.Batch
	joined []byte // what join has made
}

// NewDelivery is a delivery whose events go to batch. Room is memory for a few
// short texts of theirs, and lives as long as they do.
func NewDelivery(provider string, batch *unified.Batch, room []byte) Delivery {
	return Delivery{Provider: provider, batch: batch, joined: room[:0]}
}

// Full says that the delivery holds more events than are taken, so that reading
// on is of no use.
func (d *Delivery) Full() bool { return d.batch.Full() }

// Event adds an event and returns it for filling; its channel is the
// provider's name until the mapping says better.
func (d *Delivery) Event(typ, native, data string) *unified.Event {
	e := d.batch.Add()
	e.Type, e.NativeType, e.Data, e.Channel = typ, native, data, d.Provider
	return e
}

// Other adds an event that this version has no type for.
func (d *Delivery) Other(native, data string) *unified.Event {
	return d.Event(d.Provider+"."+native, native, data)
}

// Data is the whole body as JSON: as it was sent, a form as an object.
func (d *Delivery) Data() string {
	if d.JSON.Exists() {
		return d.JSON.Raw()
	}
	if d.formJSON == "" {
		d.formJSON = string(d.Form.AppendJSON(nil))
	}
	return d.formJSON
}

// join runs texts together, of which the first is not empty. They share their
// memory, which is only ever added to: no text changes.
//
//go:noinline
func (d *Delivery) join(a, b, c string) string {
	from := len(d.joined)
	d.joined = append(append(append(d.joined, a...), b...), c...)
	return unsafe.String(&d.joined[from], len(d.joined)-from)
}

// perReceipt is the id of an event that is never claimed: of the session, and
// of this request in it.
func (d *Delivery) perReceipt(session string) string {
	return session + ":" + strconv.FormatInt(d.ReceivedMillis, 10)
}

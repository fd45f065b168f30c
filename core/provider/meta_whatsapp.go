package provider

import (
	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/unified"
)

// whatsApp is one change of a WhatsApp Business Account: who is concerned, and
// on which of our numbers.
// https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference
type whatsApp struct {
	metaEntry
	field  string
	value  jsondoc.Value
	number string // ours, as it is displayed
	id     string // its id
}

func (m *metaEntry) whatsAppChange(change jsondoc.Value) {
	value := change.Get("value")
	account := value.Get("metadata")
	w := &whatsApp{
		metaEntry: *m, field: change.Get("field").Text(), value: value,
		number: account.Get("display_phone_number").Text(), id: account.Get("phone_number_id").Text(),
	}
	found := false
	switch w.field {
	case "messages":
		found = w.each(value, "messages", w.received)
		found = w.each(value, "statuses", w.status) || found
		found = w.each(value, "errors", w.failure) || found
	case "smb_message_echoes", "message_echoes":
		found = w.each(value, "message_echoes", w.echo)
	case "message_template_status_update":
		w.template(change)
		return
	}
	if !found {
		w.account(w.changed(change))
	}
}

// templateTypes are the outcomes of a template's review.
var templateTypes = map[string]string{
	"APPROVED": unified.TemplateApproved,
	"REJECTED": unified.TemplateRejected,
}

func (w *whatsApp) template(change jsondoc.Value) {
	e := w.changed(change)
	outcome := w.value.Get("event").Text()
	if typ, ok := templateTypes[outcome]; ok {
		e.Type = typ
	}
	e.AddMetadata("templateId", w.value.Get("message_template_id").Text())
	e.AddMetadata("templateName", w.value.Get("message_template_name").Text())
	e.AddMetadata("templateLanguage", w.value.Get("message_template_language").Text())
	e.AddMetadata("event", outcome)
	e.AddMetadata("reason", w.value.Get("reason").Text())
}

// failure is an error that concerns the number and no single message.
func (w *whatsApp) failure(problem jsondoc.Value) {
	e := w.other("errors", problem.Raw())
	w.account(e)
	addWhatsAppError(e, problem)
}

// account says on which number of ours it happened.
func (w *whatsApp) account(e *unified.Event) {
	e.AccountID = w.id
	e.AddMetadata("phoneNumberId", w.id)
}

// addWhatsAppError takes over an element of any "errors".
func addWhatsAppError(e *unified.Event, problem jsondoc.Value) {
	e.Error.Code = problem.Get("code").Text()
	e.Error.Message = firstText(problem, "message", "title")
	e.AddMetadata("errorDetails", firstOf(problem.Get("error_data").Get("details").Text(), problem.Get("details").Text()))
}

// whatsAppUser is how a user is named: by phone number, by an id that is scoped
// to the business, or by both. A user with a username may keep the number from
// us.
type whatsAppUser struct {
	number, id string
}

// address is what the send API takes as the destination.
func (u whatsAppUser) address() string { return firstOf(u.number, u.id) }

func (u whatsAppUser) is(name string) bool {
	return name != "" && (name == u.number || name == u.id)
}

// person completes a user from the contacts of the change, and tells of both.
func (w *whatsApp) person(e *unified.Event, u whatsAppUser) whatsAppUser {
	contact := w.contact(u)
	if u.number == "" && !isOther(u.id, contact.Get("user_id")) {
		u.number = contact.Get("wa_id").Text()
	}
	if u.id == "" {
		u.id = contact.Get("user_id").Text()
	}
	profile := contact.Get("profile")
	e.AddMetadata("profileName", profile.Get("name").Text())
	e.AddMetadata("userId", u.id)
	e.AddMetadata("username", profile.Get("username").Text())
	return u
}

// contact is the user's, not just the first: deliveries are batched. A single
// one is the user's if it contradicts nothing, or if there is a single message:
// Meta says that a user's wa_id and number need not be the same.
func (w *whatsApp) contact(u whatsAppUser) jsondoc.Value {
	contacts := w.value.Get("contacts")
	if contacts.Kind() != jsondoc.Array {
		return jsondoc.Value{}
	}
	first := contacts.First()
	for c, n := first, 0; c.Exists() && n < unified.MaxEvents; c, n = c.Next(), n+1 {
		if u.is(c.Get("wa_id").Text()) || u.is(c.Get("user_id").Text()) {
			return c
		}
	}
	message := w.value.Get("messages").First()
	single := message.Exists() && !message.Next().Exists()
	differs := isOther(u.number, first.Get("wa_id")) || isOther(u.id, first.Get("user_id"))
	if first.Next().Exists() || differs && !single {
		return jsondoc.Value{}
	}
	return first
}

func isOther(want string, got jsondoc.Value) bool {
	return want != "" && got.Text() != "" && got.Text() != want
}

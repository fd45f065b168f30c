package core

import (
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/hookward/hookward/core/internal/form"
	"github.com/hookward/hookward/core/internal/jsondoc"
	"github.com/hookward/hookward/core/provider"
)

// parse reads the body into d. What a signature covers is what is read here:
// the same bytes, but for those that are no UTF-8.
func (c *Check) parse(d *provider.Delivery, body []byte) bool {
	ok := false
	switch text := readOnlyString(body); c.format() {
	case provider.Query:
		_, query, _ := strings.Cut(c.head.Target, "?")
		d.Form, ok = form.Parse(query)
	case provider.Form:
		if d.Form, ok = c.form, c.form != nil; !ok {
			d.Form, ok = form.Parse(text)
		}
	case provider.JSON:
		if !utf8.ValidString(text) {
			text = strings.ToValidUTF8(text, "\uFFFD")
		}
		if err := c.doc.Parse(text); err != nil {
			c.note("payload", err.Error())
			return false
		}
		d.JSON = c.doc.Root()
		if ok = d.JSON.Kind() == jsondoc.Object; !ok {
			c.note("payload", "no JSON object")
		}
	}
	return ok
}

// format is how the delivery is written, "" for what no provider sends.
func (c *Check) format() provider.BodyFormat {
	switch {
	case c.get:
		return provider.Query
	case c.covered != "":
		return c.covered
	case c.gate.provider.Body != provider.ByContentType:
		return c.gate.provider.Body
	case c.isForm():
		return provider.Form
	case c.isJSON():
		return provider.JSON
	default:
		return ""
	}
}

// readOnlyString is body without a copy: it does not change, as Body was
// promised.
func readOnlyString(body []byte) string {
	return unsafe.String(unsafe.SliceData(body), len(body))
}

// isForm says that the body is a form; so is one that does not say what it is.
func (c *Check) isForm() bool {
	t := c.mediaType()
	return t == "" || t == "application/x-www-form-urlencoded"
}

func (c *Check) isJSON() bool {
	t := c.mediaType()
	return t == "application/json" || strings.HasSuffix(t, "+json")
}

func (c *Check) mediaType() string {
	values := c.head.Header.Values("Content-Type")
	if len(values) == 0 {
		return ""
	}
	t, _, _ := strings.Cut(values[0], ";")
	return strings.ToLower(strings.TrimSpace(t))
}

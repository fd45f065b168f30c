package provider

import (
	"strings"
	"time"
)

// seconds reads Unix seconds, millis Unix milliseconds, and rfc3339 a date; what
// is no plausible time is the zero Time, and the time of receipt stands in.

func seconds(text string) time.Time {
	n, ok := wholeNumber(text)
	if !ok {
		return time.Time{}
	}
	return plausible(time.Unix(n, 0))
}

func millis(text string) time.Time {
	n, ok := wholeNumber(text)
	if !ok {
		return time.Time{}
	}
	return plausible(time.UnixMilli(n))
}

func rfc3339(text string) time.Time {
	t, ok := date(time.RFC3339, text)
	if !ok {
		return time.Time{}
	}
	return plausible(t)
}

// wholeNumber reads at most 15 digits: more are no time, in any unit.
func wholeNumber(text string) (int64, bool) {
	if len(text) > 15 || !isDigits(text) {
		return 0, false
	}
	n := int64(0)
	for i := range len(text) {
		n = n*10 + int64(text[i]-'0')
	}
	return n, true
}

// plausible keeps times that have four digits in their year and are not the
// zero that stands for "none".
func plausible(t time.Time) time.Time {
	const year1971, year10000 = 31_536_000, 253_402_300_800 // in Unix seconds
	if s := t.Unix(); s < year1971 || s >= year10000 {
		return time.Time{}
	}
	return t.UTC()
}

// e164 is a number that the provider documents as an international one, with
// its plus sign. What is not all digits is another kind of address and stays.
func e164(number string) string {
	if isDigits(number) {
		return "+" + number
	}
	return number
}

// e164 is the same, for the numbers of every message.
func (d *Delivery) e164(number string) string {
	if isDigits(number) {
		return d.join("+", number, "")
	}
	return number
}

// Not inlined: it is called in so many places that hookward.wasm would grow.
//
//go:noinline
func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// firstOf is the first text that is not empty.
//
//go:noinline
func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// nameIn is the name in a type, what follows its first dot.
func nameIn(typ string) string {
	_, name, _ := strings.Cut(typ, ".")
	return name
}

// field is a top-level value of the delivery, be it a form or JSON.
func field(d *Delivery, name string) string {
	if d.JSON.Exists() {
		return d.JSON.Get(name).Text()
	}
	return d.Form.Get(name)
}

// joined is an id of several fields, and "" unless all of them are there: with
// one missing, two events could share it.
func joined(d *Delivery, names ...string) string {
	parts := make([]string, len(names))
	for i, name := range names {
		if parts[i] = field(d, name); parts[i] == "" {
			return ""
		}
	}
	return strings.Join(parts, ":")
}

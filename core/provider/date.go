package provider

import (
	"strings"
	"time"
)

// date reads a date and time as time.Parse does with the same layout, and its
// own digits only: two where the layout has two. That function is 50 KB of a
// wasm module.
func date(layout, text string) (time.Time, bool) {
	d := dateReader{text: text, month: 1, day: 1}
	for layout != "" {
		var next dateStep
		next, layout = nextStep(layout)
		if !next(&d) {
			return time.Time{}, false
		}
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second, d.nanosecond, time.UTC)
	ok := d.text == "" && d.hour < 24 && d.minute < 60 && d.second < 60 && t.Day() == d.day && int(t.Month()) == d.month
	return t.Add(-time.Duration(d.zone) * time.Minute), ok
}

// dateReader is a date as far as it has been read, and the text that is left.
type dateReader struct {
	text                                               string
	year, month, day, hour, minute, second, nanosecond int
	zone                                               int // minutes east of Greenwich
}

type dateStep func(*dateReader) bool

// nextStep is what reads the layout's first part, and the rest of the layout.
func nextStep(layout string) (dateStep, string) {
	for _, p := range dateParts {
		if rest, ok := strings.CutPrefix(layout, p.layout); ok {
			return p.step, rest
		}
	}
	literal := layout[0]
	return func(d *dateReader) bool { return d.skip(literal) }, layout[1:]
}

var dateParts = [...]struct {
	layout string
	step   dateStep
}{
	{"2006", func(d *dateReader) bool { return d.number(4, &d.year) }},
	{"01", func(d *dateReader) bool { return d.number(2, &d.month) }},
	{"02", func(d *dateReader) bool { return d.number(2, &d.day) }},
	{"15", func(d *dateReader) bool { return d.number(2, &d.hour) }},
	{"04", func(d *dateReader) bool { return d.number(2, &d.minute) }},
	{"05", func(d *dateReader) bool { return d.number(2, &d.second) && d.fraction() }},
	{"Jan", func(d *dateReader) bool { return d.name("JanFebMarAprMayJunJulAugSepOctNovDec", &d.month) }},
	{"Mon", func(d *dateReader) bool { return d.name("MonTueWedThuFriSatSun", new(int)) }},
	{"Z07:00", func(d *dateReader) bool { return d.skip('Z') || d.offset(true) }},
	{"Z0700", func(d *dateReader) bool { return d.skip('Z') || d.offset(false) }},
	{"-0700", func(d *dateReader) bool { return d.offset(false) }},
}

func (d *dateReader) skip(c byte) bool {
	if d.text == "" || d.text[0] != c {
		return false
	}
	d.text = d.text[1:]
	return true
}

// number reads so many digits.
func (d *dateReader) number(digits int, n *int) bool {
	if len(d.text) < digits || !isDigits(d.text[:digits]) {
		return false
	}
	*n = 0
	for _, c := range []byte(d.text[:digits]) {
		*n = *n*10 + int(c-'0')
	}
	d.text = d.text[digits:]
	return true
}

// fraction reads what stands of a second behind its point, if anything does.
func (d *dateReader) fraction() bool {
	if !d.skip('.') {
		return true
	}
	n := 0
	for unit := 100_000_000; n < len(d.text) && isDigits(d.text[n:n+1]); unit /= 10 {
		d.nanosecond += int(d.text[n]-'0') * unit
		n++
	}
	d.text = d.text[n:]
	return n > 0
}

// name reads one of the names, each three letters, and gives its number from 1.
func (d *dateReader) name(names string, n *int) bool {
	if len(d.text) < 3 {
		return false
	}
	for i := 0; i < len(names); i += 3 {
		if names[i:i+3] == d.text[:3] {
			*n, d.text = i/3+1, d.text[3:]
			return true
		}
	}
	return false
}

// offset reads a zone: a sign, hours and minutes.
func (d *dateReader) offset(colon bool) bool {
	sign, hours, minutes := 1, 0, 0
	if d.skip('-') {
		sign = -1
	} else if !d.skip('+') {
		return false
	}
	ok := d.number(2, &hours) && (!colon || d.skip(':')) && d.number(2, &minutes) && hours <= 24 && minutes < 60
	d.zone = sign * (hours*60 + minutes)
	return ok
}

// Package form reads application/x-www-form-urlencoded bodies and queries as
// their senders wrote them: in order, with repeats and empty values. What is
// no valid percent-encoding stands for itself, since a signature covers the
// values as the sender's own reader would see them, and the signature decides.
package form

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hookward/hookward/core/internal/jsondoc"
)

// MaxParameters is how many parameters are read; no provider sends near as
// many, and reading them comes before the signature is known to be good.
const MaxParameters = 1000

// Pair is one parameter, decoded.
type Pair struct {
	Name, Value string
}

// Form is the parameters in their order.
type Form []Pair

// Parse reads text; ok is false if it has more than MaxParameters.
func Parse(text string) (f Form, ok bool) {
	for text != "" {
		var part string
		part, text, _ = strings.Cut(text, "&")
		if part == "" {
			continue
		}
		if len(f) == MaxParameters {
			return nil, false
		}
		if f == nil {
			f = make(Form, 0, min(strings.Count(text, "&")+2, MaxParameters))
		}
		name, value, _ := strings.Cut(part, "=")
		f = append(f, Pair{Unescape(name), Unescape(value)})
	}
	return f, true
}

// Get is the value of the parameter of that name, of a repeated one the last,
// and "" if there is none.
//
//go:noinline
func (f Form) Get(name string) string {
	for i := len(f) - 1; i >= 0; i-- {
		if f[i].Name == name {
			return f[i].Value
		}
	}
	return ""
}

// Has says that there is a parameter of that name, though perhaps empty.
func (f Form) Has(name string) bool {
	return slices.ContainsFunc(f, func(p Pair) bool { return p.Name == name })
}

// AppendJSON appends the form as a JSON object: names in the order of their
// first appearance, a repeated one's values as an array.
func (f Form) AppendJSON(dst []byte) []byte {
	f = f.asText()
	dst = append(slices.Grow(dst, f.jsonSize()), '{')
	for i, p := range f {
		if f[:i].Has(p.Name) {
			continue // written with the first of its name
		}
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(jsondoc.AppendString(dst, p.Name), ':')
		dst = f[i:].appendValues(dst)
	}
	return append(dst, '}')
}

// jsonSize is about how long the JSON gets.
func (f Form) jsonSize() int {
	size := len(`{}`)
	for _, p := range f {
		size += len(p.Name) + len(p.Value) + len(`"":"",`)
	}
	return size
}

// asText is the form with its names as JSON has them: those that differ only in
// bytes that are no UTF-8 are one name there.
func (f Form) asText() Form {
	if !slices.ContainsFunc(f, func(p Pair) bool { return !utf8.ValidString(p.Name) }) {
		return f
	}
	f = slices.Clone(f)
	for i := range f {
		f[i].Name = string([]rune(f[i].Name))
	}
	return f
}

// appendValues appends the values of the first parameter's name.
func (f Form) appendValues(dst []byte) []byte {
	first, rest := f[0], f[1:]
	if !rest.Has(first.Name) {
		return jsondoc.AppendString(dst, first.Value)
	}
	dst = jsondoc.AppendString(append(dst, '['), first.Value)
	for _, p := range rest {
		if p.Name == first.Name {
			dst = jsondoc.AppendString(append(dst, ','), p.Value)
		}
	}
	return append(dst, ']')
}

// Unescape decodes %XX and plus signs. A percent sign that begins no such
// triple stands for itself.
func Unescape(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			b = append(b, ' ')
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			b = append(b, c)
		}
	}
	return string(b)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	default:
		return c - '0'
	}
}

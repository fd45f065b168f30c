package jsondoc

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Value is one value of a document, or, as the zero Value, none: every method
// of an absent value answers with another absent value or an empty string, so
// that a path into a payload needs no checks on the way. A Value holds until
// the document is parsed anew.
type Value struct {
	doc *Doc
	at  int32 // its node
	end int32 // the end of its siblings, for Next
}

func (v Value) node() *node { return &v.doc.nodes[v.at] }

// Kind is what the value is.
func (v Value) Kind() Kind {
	if v.doc == nil {
		return Absent
	}
	return v.node().kind
}

// Exists says that there is a value, though it may be null.
func (v Value) Exists() bool { return v.doc != nil }

// Raw is the value's text as it was sent, a string's with its quotes.
//
//go:noinline
func (v Value) Raw() string {
	if v.doc == nil {
		return ""
	}
	n := v.node()
	if n.kind == String {
		return v.doc.text[n.start-1 : n.end+1]
	}
	return v.doc.text[n.start:n.end]
}

// Text is a string's content, a number or a boolean as it is written, and ""
// for everything else.
func (v Value) Text() string {
	if v.doc == nil {
		return ""
	}
	n := v.node()
	switch n.kind {
	case String:
		return content(v.doc.text[n.start:n.end], n.special)
	case Number, Bool:
		return v.doc.text[n.start:n.end]
	default:
		return ""
	}
}

// True says that the value is the boolean true.
func (v Value) True() bool {
	return v.Kind() == Bool && v.Raw() == "true"
}

// Name is the value's member name inside an object, else "".
func (v Value) Name() string {
	if v.doc == nil {
		return ""
	}
	return v.doc.memberName(v.node())
}

// Get is the object's member of that name: of a repeated one the last, as in
// most readers. It is absent if there is none, or v is no object.
func (v Value) Get(name string) Value {
	if v.doc == nil {
		return Value{}
	}
	nodes, m := v.doc.nodes, mark(name)
	object := &nodes[v.at]
	if object.members>>(m%64)&1 == 0 {
		return Value{}
	}
	found := Value{}
	for i := v.at + 1; i < object.next; {
		n := &nodes[i]
		if n.mark == m {
			if v.doc.memberName(n) == name {
				found = Value{v.doc, i, object.next}
			}
			if !object.special {
				break
			}
		}
		i = n.next
	}
	return found
}

// First is the first member or element, in the order of the text; absent in an
// empty container and in a scalar. A repeated member comes as often as it was
// sent.
func (v Value) First() Value {
	if v.doc == nil || v.at+1 == v.node().next {
		return Value{}
	}
	return Value{v.doc, v.at + 1, v.node().next}
}

// Next is the following member or element of the same container.
func (v Value) Next() Value {
	if v.doc == nil || v.node().next >= v.end {
		return Value{}
	}
	return Value{v.doc, v.node().next, v.end}
}

func (d *Doc) memberName(n *node) string {
	return content(d.text[n.from:n.to], n.nameEscaped)
}

func content(s string, escaped bool) string {
	if escaped {
		return unescape(s)
	}
	return s
}

// unescape decodes the escapes of a string that Parse has found good. Half a
// surrogate pair becomes U+FFFD.
func unescape(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		r, n := decodeEscape(s[i:])
		b.WriteRune(r)
		s = s[i+n:]
	}
}

func decodeEscape(s string) (r rune, length int) {
	switch s[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		r, _ := hex4(s[2:])
		if !utf16.IsSurrogate(r) {
			return r, 6
		}
		if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
			low, _ := hex4(s[8:])
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 12
			}
		}
		return utf8.RuneError, 6
	default: // the quote, the backslash and the slash stand for themselves
		return rune(s[1]), 2
	}
}

func hex4(s string) (r rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for i := range 4 {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

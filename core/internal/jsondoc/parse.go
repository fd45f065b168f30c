package jsondoc

import (
	"errors"
	"fmt"
)

// MaxDepth is how deep arrays and objects may nest: far beyond what any
// provider sends, and little enough that nobody can make us work for nothing.
const MaxDepth = 512

// ErrTooDeep says that a text nests deeper than MaxDepth.
var ErrTooDeep = errors.New("nested deeper than 512 levels")

// Parse reads text, which must be valid UTF-8, as one JSON value (RFC 8259)
// and replaces what d held. It keeps text, and reuses d's memory. After an
// error d is empty.
func (d *Doc) Parse(text string) error {
	p := parser{text: text, nodes: d.nodes[:0], in: none}
	if p.document() {
		d.text, d.nodes = text, p.nodes
	} else {
		d.text, d.nodes = "", p.nodes[:0]
	}
	return p.err
}

// parser reads text on from at. Its methods return false when they have set err.
type parser struct {
	text  string
	at    int
	nodes []node
	in    int32 // the innermost open container; its next is the one around it
	depth int
	name  name // the next value's
	err   error
}

const none = -1

// document is a loop and not a recursion: a sender's nesting must not grow the
// stack of a wasm module.
func (p *parser) document() bool {
	for p.value() {
		p.closers()
		if p.in == none {
			return p.end()
		}
		if !p.separator() {
			return false
		}
	}
	return false
}

// value reads a scalar, or opens a container.
func (p *parser) value() bool {
	switch p.next() {
	case '{':
		return p.open(Object)
	case '[':
		return p.open(Array)
	case '"':
		n := p.add(String)
		start, end, escaped, ok := p.str()
		n.start, n.end, n.escaped = start, end, escaped
		return ok
	case 't':
		return p.literal("true", Bool)
	case 'f':
		return p.literal("false", Bool)
	case 'n':
		return p.literal("null", Null)
	default:
		return p.number()
	}
}

func (p *parser) add(kind Kind) *node {
	next := int32(len(p.nodes) + 1)
	p.nodes = append(p.nodes, node{kind: kind, start: uint32(p.at), next: next, name: p.name})
	p.name = name{}
	return &p.nodes[next-1]
}

func (p *parser) open(kind Kind) bool {
	if p.depth == MaxDepth {
		p.err = ErrTooDeep
		return false
	}
	p.depth++
	p.add(kind).next = p.in
	p.in = int32(len(p.nodes) - 1)
	p.at++
	return true
}

// closers reads the ends of all containers that end here.
func (p *parser) closers() {
	for p.in != none {
		n := &p.nodes[p.in]
		if p.next() != closer[n.kind] {
			return
		}
		p.at++
		p.depth--
		n.end = uint32(p.at)
		p.in, n.next = n.next, int32(len(p.nodes))
	}
}

var closer = [...]byte{Array: ']', Object: '}'}

// separator reads what stands before a value in its container: a comma, save
// before the first, and in an object the member's name and a colon.
func (p *parser) separator() bool {
	first := int(p.in) == len(p.nodes)-1
	switch c := p.next(); {
	case c == ',' && !first:
		p.at++
	case !first && p.at == len(p.text):
		return p.fail("text ends early")
	case !first:
		return p.fail("neither a comma nor the end of the array or object")
	}
	if p.nodes[p.in].kind == Object {
		return p.memberName()
	}
	return true
}

func (p *parser) memberName() bool {
	if p.next() != '"' {
		return p.fail("no member name")
	}
	start, end, escaped, ok := p.str()
	if !ok {
		return false
	}
	if p.next() != ':' {
		return p.fail("no colon after the member name")
	}
	p.at++
	m := mark(content(p.text[start:end], escaped))
	p.nodes[p.in].members |= 1 << m
	p.name = name{start, end, escaped, m}
	return true
}

// end is reached after the outermost value.
func (p *parser) end() bool {
	if p.next(); p.at != len(p.text) {
		return p.fail("text after the value")
	}
	return true
}

// str reads a string and says where its content, between the quotes, lies.
func (p *parser) str() (start, end uint32, escaped, ok bool) {
	start = uint32(p.at + 1)
	for i := p.at + 1; ; {
		i = plainEnd(p.text, i)
		p.at = i
		switch {
		case i == len(p.text):
			return 0, 0, false, p.fail("string without an end")
		case p.text[i] == '"':
			p.at++
			return start, uint32(i), escaped, true
		case p.text[i] != '\\':
			return 0, 0, false, p.fail("control character in a string")
		}
		n := escapeLen(p.text[i:])
		if n == 0 {
			return 0, 0, false, p.fail("bad escape in a string")
		}
		escaped = true
		i += n
	}
}

// escapeLen is the length of the escape that s begins with, 0 for a bad one.
func escapeLen(s string) int {
	if len(s) < 2 {
		return 0
	}
	switch s[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(s[2:]); ok {
			return 6
		}
	}
	return 0
}

func (p *parser) literal(word string, kind Kind) bool {
	if len(p.text)-p.at < len(word) || p.text[p.at:p.at+len(word)] != word {
		return p.fail("no JSON value")
	}
	n := p.add(kind)
	p.at += len(word)
	n.end = uint32(p.at)
	return true
}

// number reads RFC 8259's grammar and keeps the text: no value is converted,
// so none is rounded.
func (p *parser) number() bool {
	if p.at == len(p.text) {
		return p.fail("text ends early")
	}
	n := p.add(Number)
	if p.peek() == '-' {
		p.at++
	}
	switch {
	case p.peek() == '0':
		p.at++
	case !p.digits():
		return p.fail("no JSON value")
	}
	if p.peek() == '.' {
		p.at++
		if !p.digits() {
			return p.fail("bad number")
		}
	}
	if c := p.peek(); c == 'e' || c == 'E' {
		p.at++
		if c := p.peek(); c == '+' || c == '-' {
			p.at++
		}
		if !p.digits() {
			return p.fail("bad number")
		}
	}
	n.end = uint32(p.at)
	return true
}

func (p *parser) digits() bool {
	start := p.at
	for p.at < len(p.text) && p.text[p.at]-'0' <= 9 {
		p.at++
	}
	return p.at > start
}

// next skips white space and is the byte after it, 0 at the end of the text.
func (p *parser) next() byte {
	for p.at < len(p.text) && p.text[p.at] <= ' ' && isSpace(p.text[p.at]) {
		p.at++
	}
	return p.peek()
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// peek is the byte at the reading position, 0 at the end of the text.
func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) fail(what string) bool {
	p.err = fmt.Errorf("%s at byte %d", what, p.at)
	return false
}

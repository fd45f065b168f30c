package jsondoc

import (
	"errors"
	"fmt"
)

// MaxDepth is how deep arrays and objects may nest: far beyond what any
// provider sends, and little enough that a reader's stack stays small.
const MaxDepth = 512

// ErrTooDeep says that a text nests deeper than MaxDepth.
var ErrTooDeep = errors.New("nested deeper than 512 levels")

// Parse reads text, which must be valid UTF-8, as one JSON value (RFC 8259)
// and replaces what d held. It keeps text, and reuses d's memory. After an
// error d is empty.
func (d *Doc) Parse(text string) error {
	d.text, d.nodes, d.open, d.key = text, d.nodes[:0], d.open[:0], name{}
	p := parser{Doc: d}
	if err := p.document(); err != nil {
		d.text, d.nodes = "", d.nodes[:0]
		return err
	}
	return nil
}

type parser struct {
	*Doc
	at int
}

func (p *parser) fail(what string) error {
	return fmt.Errorf("%s at byte %d", what, p.at)
}

// document is a loop and not a recursion: a sender's nesting must not grow the
// stack of a wasm module.
func (p *parser) document() error {
	for {
		opened, err := p.value()
		if err != nil {
			return err
		}
		if opened {
			continue
		}
		done, err := p.afterValue()
		if err != nil {
			return err
		}
		if done {
			p.space()
			if p.at != len(p.text) {
				return p.fail("text after the value")
			}
			return nil
		}
	}
}

// value reads a scalar or an empty container whole, or opens a container and
// says so; then the next value is its first.
func (p *parser) value() (opened bool, err error) {
	p.space()
	if p.at >= len(p.text) {
		return false, p.fail("text ends early")
	}
	switch c := p.text[p.at]; c {
	case '{':
		return p.container(Object, '}')
	case '[':
		return p.container(Array, ']')
	case '"':
		i := p.add(String)
		start, end, escaped, err := p.str()
		if err != nil {
			return false, err
		}
		n := &p.nodes[i]
		n.start, n.end, n.escaped = uint32(start), uint32(end), escaped
		return false, nil
	case 't':
		return false, p.literal("true", Bool)
	case 'f':
		return false, p.literal("false", Bool)
	case 'n':
		return false, p.literal("null", Null)
	default:
		return false, p.number()
	}
}

func (p *parser) container(kind Kind, closer byte) (opened bool, err error) {
	if len(p.open) == MaxDepth {
		return false, ErrTooDeep
	}
	i := p.add(kind)
	p.at++
	p.space()
	if p.at < len(p.text) && p.text[p.at] == closer {
		p.at++
		p.nodes[i].end = uint32(p.at)
		return false, nil
	}
	p.open = append(p.open, i)
	if kind == Object {
		return true, p.name()
	}
	return true, nil
}

// afterValue reads commas and closers until another value must follow or the
// outermost value is complete.
func (p *parser) afterValue() (done bool, err error) {
	for len(p.open) > 0 {
		p.space()
		if p.at >= len(p.text) {
			return false, p.fail("text ends early")
		}
		i := p.open[len(p.open)-1]
		isObject := p.nodes[i].kind == Object
		switch c := p.text[p.at]; {
		case c == ',':
			p.at++
			if isObject {
				p.space()
				return false, p.name()
			}
			return false, nil
		case c == '}' && isObject, c == ']' && !isObject:
			p.at++
			p.nodes[i].end = uint32(p.at)
			p.nodes[i].next = int32(len(p.nodes))
			p.open = p.open[:len(p.open)-1]
		default:
			return false, p.fail("neither a comma nor the end of the array or object")
		}
	}
	return true, nil
}

// name reads a member's name and colon, for the value that add makes next.
func (p *parser) name() error {
	if p.at >= len(p.text) || p.text[p.at] != '"' {
		return p.fail("no member name")
	}
	start, end, escaped, err := p.str()
	if err != nil {
		return err
	}
	p.space()
	if p.at >= len(p.text) || p.text[p.at] != ':' {
		return p.fail("no colon after the member name")
	}
	p.at++
	p.key = name{uint32(start), uint32(end), escaped}
	return nil
}

func (p *parser) add(kind Kind) int32 {
	i := int32(len(p.nodes))
	p.nodes = append(p.nodes, node{kind: kind, start: uint32(p.at), next: i + 1, key: p.key})
	p.key = name{}
	return i
}

// str reads a string and returns where its content, between the quotes, lies.
func (p *parser) str() (start, end int, escaped bool, err error) {
	text, i := p.text, p.at+1
	start = i
	for {
		for i < len(text) && !special[text[i]] {
			i++
		}
		p.at = i
		switch {
		case i == len(text):
			return 0, 0, false, p.fail("string without an end")
		case text[i] == '"':
			p.at++
			return start, i, escaped, nil
		case text[i] != '\\':
			return 0, 0, false, p.fail("control character in a string")
		}
		n := escapeLen(text[i:])
		if n == 0 {
			return 0, 0, false, p.fail("bad escape in a string")
		}
		escaped = true
		i += n
	}
}

// special are the bytes at which reading a string has to stop and think.
var special = func() (set [256]bool) {
	for c := range 0x20 {
		set[c] = true
	}
	set['"'], set['\\'] = true, true
	return set
}()

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

func (p *parser) literal(word string, kind Kind) error {
	if len(p.text)-p.at < len(word) || p.text[p.at:p.at+len(word)] != word {
		return p.fail("no JSON value")
	}
	i := p.add(kind)
	p.at += len(word)
	p.nodes[i].end = uint32(p.at)
	return nil
}

// number reads RFC 8259's grammar and keeps the text: no value is converted,
// so none is rounded.
func (p *parser) number() error {
	i := p.add(Number)
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
	p.nodes[i].end = uint32(p.at)
	return nil
}

// peek is the byte at the reading position, 0 at the end of the text.
func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) digits() bool {
	start := p.at
	for p.at < len(p.text) && p.text[p.at]-'0' <= 9 {
		p.at++
	}
	return p.at > start
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

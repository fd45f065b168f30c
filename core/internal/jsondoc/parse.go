package jsondoc

import "errors"

// MaxDepth is how deep arrays and objects may nest: far beyond what any
// provider sends, and little enough that nobody can make us work for nothing.
const MaxDepth = 512

// ErrTooDeep says that a text nests deeper than MaxDepth.
var ErrTooDeep = errors.New("nested deeper than 512 levels")

// ErrTooMany says that a text has more values than maxValues.
var ErrTooMany = errors.New("more values than one for each 8 bytes")

// maxValues is how many values a text may have: any number in a short one, and
// in a long one far more than there are in what people send. Without it each two
// bytes of 4 MiB would take 40 bytes of the table.
func maxValues(text string) int { return 1<<16 + len(text)/8 }

// Parse reads text, which must be valid UTF-8, as one JSON value (RFC 8259)
// and replaces what d held. It keeps text, and reuses d's memory. After an
// error d is empty.
func (d *Doc) Parse(text string) (err error) {
	d.text = text
	d.nodes, err = parse(text, d.nodes[:0])
	if err != nil {
		d.text, d.nodes = "", d.nodes[:0]
	}
	return err
}

const none = -1 // no container

// parse adds the values of text to nodes. It is a loop and not a recursion: a
// sender's nesting must not grow the stack of a wasm module. And it is one long
// function that fills each node where it will lie: its state then stays in
// registers.
func parse(text string, nodes []node) ([]node, error) {
	in, depth := int32(none), 0 // the innermost open container: its next is the one around it
	closer := byte(0)           // what ends it
	c, i := next(text, 0)
	most := maxValues(text)
	for {
		this := len(nodes)
		if this == cap(nodes) {
			nodes = append(nodes, node{})
		}
		if this == most {
			return nodes, ErrTooMany
		}
		nodes = nodes[:this+1]
		n := &nodes[this]
		if closer == '}' {
			if c != '"' {
				return nodes, failure("no member name", i)
			}
			end := plainEnd(text, i+1)
			n.nameEscaped = at(text, end) != '"'
			if n.nameEscaped {
				if end = stringEnd(text, end); at(text, end) != '"' {
					return nodes, stringError(text, end)
				}
			}
			n.from, n.to = uint32(i+1), uint32(end)
			n.mark = mark(content(text[i+1:end], n.nameEscaped))
			nodes[in].addMember(n.mark)
			if c, i = next(text, end+1); c != ':' {
				return nodes, failure("no colon after the member name", i)
			}
			c, i = next(text, i+1)
		} else {
			n.from, n.to, n.mark, n.nameEscaped = 0, 0, 0, false
		}

		n.members, n.next, n.special = 0, int32(this+1), false
		end := i + 1
		switch c {
		case '"':
			end = plainEnd(text, end)
			if at(text, end) != '"' {
				n.special = true
				if end = stringEnd(text, end); at(text, end) != '"' {
					return nodes, stringError(text, end)
				}
			}
			n.kind, n.start, n.end = String, uint32(i+1), uint32(end)
			end++
		case '{':
			n.kind, n.start, n.next = Object, uint32(i), in
			in, closer = int32(this), '}'
			depth++
		case '[':
			n.kind, n.start, n.next = Array, uint32(i), in
			in, closer = int32(this), ']'
			depth++
		default:
			if n.kind, end = scalar(text, i); n.kind == Absent {
				return nodes, scalarError(text, i, end)
			}
			n.start, n.end = uint32(i), uint32(end)
		}
		if depth > MaxDepth {
			return nodes, ErrTooDeep
		}

		c, i = next(text, end)
		for in != none && c == closer {
			ended := &nodes[in]
			ended.end = uint32(i + 1)
			in, ended.next = ended.next, int32(len(nodes))
			if depth--; in != none {
				closer = closers[nodes[in].kind]
			}
			c, i = next(text, i+1)
		}
		if in == none {
			if i != len(text) {
				return nodes, failure("text after the value", i)
			}
			return nodes, nil
		}
		if first := int(in) == this; !first {
			if c != ',' {
				return nodes, commaError(text, i)
			}
			c, i = next(text, i+1)
		}
	}
}

var closers = [...]byte{Array: ']', Object: '}'}

// stringEnd finds the quote that ends a string, or the byte that no string may
// have there. What comes before i is good.
func stringEnd(text string, i int) int {
	for at(text, i) == '\\' {
		n := escapeLen(text[i:])
		if n == 0 {
			return i
		}
		i = plainEnd(text, i+n)
	}
	return i
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

// scalar reads a literal or a number. Where there is none, end is where it went
// wrong.
func scalar(text string, i int) (kind Kind, end int) {
	switch at(text, i) {
	case 't':
		return literal(text, i, "true", Bool)
	case 'f':
		return literal(text, i, "false", Bool)
	case 'n':
		return literal(text, i, "null", Null)
	default:
		return number(text, i)
	}
}

func literal(text string, i int, word string, kind Kind) (Kind, int) {
	end := i + len(word)
	if len(text) < end || text[i:end] != word {
		return Absent, i
	}
	return kind, end
}

// number reads RFC 8259's grammar: no value is converted, so none is rounded.
func number(text string, i int) (kind Kind, end int) {
	if at(text, i) == '-' {
		i++
	}
	end = i + 1
	if at(text, i) != '0' {
		if end = digits(text, i); end == i {
			return Absent, end
		}
	}
	if i = end; at(text, i) == '.' {
		if end = digits(text, i+1); end == i+1 {
			return Absent, end
		}
	}
	if i = end; at(text, i) == 'e' || at(text, i) == 'E' {
		if i++; at(text, i) == '+' || at(text, i) == '-' {
			i++
		}
		if end = digits(text, i); end == i {
			return Absent, end
		}
	}
	return Number, end
}

func digits(text string, i int) int {
	for at(text, i)-'0' <= 9 {
		i++
	}
	return i
}

// next is the next byte from i on that is no white space, 0 at the end of the
// text, and its place.
func next(text string, i int) (byte, int) {
	for ; i < len(text); i++ {
		if c := text[i]; c > ' ' || !isSpace(c) {
			return c, i
		}
	}
	return 0, i
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// at is the i-th byte of the text, 0 at its end.
func at(text string, i int) byte {
	if i < len(text) {
		return text[i]
	}
	return 0
}

// Package jsondoc reads a JSON text once, into a flat table of its values, and
// hands out views into the text. It is made for the gate: a payload is walked
// by name, most of it is passed on byte for byte, numbers are never converted,
// and a document's memory can be used again for the next one.
package jsondoc

// Kind is what a value is. The zero Kind says that there is no value.
type Kind uint8

// The kinds of values.
const (
	Absent Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// Doc is a parsed text. The zero Doc is empty and ready for Parse.
type Doc struct {
	text  string
	nodes []node // in the order of the text; a container's follow it
}

// node is one value. It has 32 bytes: finding a member walks over many.
type node struct {
	members     uint64 // of an object: the marks of its members' names, as bits
	start, end  uint32 // the value in the text; a string's without its quotes
	next        int32  // the first node that is not inside this one
	from, to    uint32 // the member's name in the text, without its quotes
	mark        uint8  // the name's
	nameEscaped bool
	kind        Kind
	special     bool // a string has escapes; some members of an object have one mark, and perhaps one name
}

// mark is a number from 0 to 63 that tells most names of one object apart
// without reading them: by their length and their last byte.
func mark(name string) uint8 {
	if name == "" {
		return 0
	}
	return (uint8(len(name))*8 + name[len(name)-1]) % 64
}

func (n *node) addMember(mark uint8) {
	n.special = n.special || n.members>>(mark%64)&1 == 1
	n.members |= 1 << (mark % 64)
}

// Root is the document's outermost value, absent when the document is empty.
func (d *Doc) Root() Value {
	if len(d.nodes) == 0 {
		return Value{}
	}
	return Value{d, 0, int32(len(d.nodes))}
}

// Shrink gives the table's memory back if it outgrew limit values, so that one
// huge payload does not stay in memory for good.
func (d *Doc) Shrink(limit int) {
	d.text = ""
	d.nodes = d.nodes[:0]
	if cap(d.nodes) > limit {
		d.nodes = nil
	}
}

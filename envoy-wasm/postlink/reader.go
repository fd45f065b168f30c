package main

import "encoding/binary"

// reader takes from its front.
type reader []byte

func (r *reader) byte() byte {
	b := (*r)[0]
	*r = (*r)[1:]
	return b
}

func (r *reader) number() int {
	n, size := binary.Uvarint(*r)
	if size <= 0 {
		panic("a number without end")
	}
	*r = (*r)[size:]
	return int(n)
}

// signed takes a signed LEB128 number.
func (r *reader) signed() int64 {
	var n int64
	for shift := uint(0); ; shift += 7 {
		b := r.byte()
		n |= int64(b&0x7f) << shift
		if b&0x80 == 0 {
			if shift += 7; b&0x40 != 0 && shift < 64 {
				n |= -1 << shift
			}
			return n
		}
	}
}

func (r *reader) bytes() reader {
	n := r.number()
	b := (*r)[:n]
	*r = (*r)[n:]
	return b
}

func appendBytes(out, b []byte) []byte {
	return append(binary.AppendUvarint(out, uint64(len(b))), b...)
}

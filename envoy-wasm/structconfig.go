package main

import (
	"encoding/binary"
	"math"
	"strconv"
)

// structJSON is a google.protobuf.Struct as JSON; ok is false if data is none.
// Envoy hands over a configuration of that type as the bytes of the message,
// and not as JSON.
// https://protobuf.dev/reference/protobuf/google.protobuf/#struct
func structJSON(data []byte) (json []byte, ok bool) { return appendStruct(nil, data, 0) }

// deepest is how deep a configuration nests at most.
const deepest = 32

// The fields of the messages.
const (
	structFields = 1 // of Struct: the entries of a map
	listValues   = 1 // of ListValue
	entryKey     = 1
	entryValue   = 2

	valueNull   = 1
	valueNumber = 2
	valueString = 3
	valueBool   = 4
	valueStruct = 5
	valueList   = 6
)

func appendStruct(dst, message []byte, depth int) ([]byte, bool) {
	dst = append(dst, '{')
	first := true
	ok := depth < deepest && eachField(message, func(number uint64, _ uint64, entry []byte) (ok bool) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		var key, value []byte
		if number != structFields || !eachField(entry, func(number uint64, _ uint64, part []byte) bool {
			switch number {
			case entryKey:
				key = part
			case entryValue:
				value = part
			}
			return true
		}) {
			return false
		}
		dst = append(appendText(dst, key), ':')
		dst, ok = appendValue(dst, value, depth+1)
		return ok
	})
	return append(dst, '}'), ok
}

func appendValue(dst, message []byte, depth int) ([]byte, bool) {
	if len(message) == 0 {
		return append(dst, "null"...), true
	}
	ok := eachField(message, func(number, scalar uint64, part []byte) (ok bool) {
		switch number {
		case valueNull:
			dst, ok = append(dst, "null"...), true
		case valueNumber:
			dst, ok = strconv.AppendFloat(dst, math.Float64frombits(scalar), 'f', -1, 64), true
		case valueString:
			dst, ok = appendText(dst, part), true
		case valueBool:
			dst, ok = strconv.AppendBool(dst, scalar != 0), true
		case valueStruct:
			dst, ok = appendStruct(dst, part, depth+1)
		case valueList:
			dst, ok = appendList(dst, part, depth+1)
		}
		return ok
	})
	return dst, ok
}

func appendList(dst, message []byte, depth int) ([]byte, bool) {
	dst = append(dst, '[')
	first := true
	ok := depth < deepest && eachField(message, func(number, _ uint64, value []byte) (ok bool) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst, ok = appendValue(dst, value, depth+1)
		return ok && number == listValues
	})
	return append(dst, ']'), ok
}

// appendText writes a JSON string.
func appendText(dst, text []byte) []byte {
	dst = append(dst, '"')
	for _, c := range text {
		switch {
		case c == '"', c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, `\u00`...)
			dst = append(dst, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// eachField calls f for the fields of a message: with the value of a number, or
// with the bytes of anything else. It is false if the bytes are no message or f
// is.
func eachField(message []byte, f func(number, scalar uint64, part []byte) bool) bool {
	const varint, fixed64, bytes = 0, 1, 2
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return false
		}
		message = message[n:]
		var (
			scalar uint64
			part   []byte
		)
		switch tag & 7 {
		case fixed64:
			if len(message) < 8 {
				return false
			}
			scalar, message = binary.LittleEndian.Uint64(message), message[8:]
		case varint, bytes:
			if scalar, n = binary.Uvarint(message); n <= 0 {
				return false
			}
			message = message[n:]
			if tag&7 == bytes {
				if scalar > uint64(len(message)) {
					return false
				}
				part, message = message[:scalar], message[scalar:]
			}
		default:
			return false
		}
		if !f(tag>>3, scalar, part) {
			return false
		}
	}
	return true
}

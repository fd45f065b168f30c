package core

import (
	"strconv"
	"strings"
)

// say writes words as fmt.Sprintf does, for the few verbs that our messages
// have: %s, %q, %v and %d, of strings, ints, errors and what prints itself. fmt
// with the reflection behind it would be a tenth of hookward.wasm.
func say(format string, args ...any) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(format, "%")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		verb := after[0]
		format = after[1:]
		if verb == '%' {
			out.WriteByte('%')
			continue
		}
		text := sayOne(args[0])
		args = args[1:]
		if verb == 'q' {
			text = strconv.Quote(text)
		}
		out.WriteString(text)
	}
}

func sayOne(arg any) string {
	switch arg := arg.(type) {
	case string:
		return arg
	case int:
		return strconv.Itoa(arg)
	case error:
		return arg.Error()
	case interface{ String() string }:
		return arg.String()
	default:
		return "?"
	}
}

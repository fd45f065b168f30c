package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"

	"github.com/hookward/hookward/core"
)

// Log lines are words and then name="value", so that they can be read by people
// and by machines: never a body, a secret, a message, a number or an event's id.

func field(name, value string) core.Field { return core.Field{Name: name, Value: value} }

func logError(what string, fields ...core.Field) { proxywasm.LogError(line(what, fields)) }
func logWarn(what string, fields ...core.Field)  { proxywasm.LogWarn(line(what, fields)) }

func logDebug(what string, fields ...core.Field) { proxywasm.LogDebug(line(what, fields)) }

func line(what string, fields []core.Field) string {
	b := []byte(what)
	for _, f := range fields {
		b = append(append(append(b, ' '), f.Name...), '=')
		b = strconv.AppendQuote(b, f.Value)
	}
	return string(b)
}

// panicText is what a recovered panic says.
func panicText(r any) string {
	switch r := r.(type) {
	case error:
		return r.Error()
	case string:
		return r
	default:
		return "of an unknown kind"
	}
}

// logFields are what a log line may know of the request.
func (s *stream) logFields() []core.Field {
	if s.route == nil {
		return []core.Field{field("instance", s.instance())}
	}
	fields := append(s.route.fields(), field("instance", s.instance()))
	v := s.verdict
	if v == nil {
		return fields
	}
	fields = append(fields, field("verdict", string(v.Outcome)))
	if v.Code != "" {
		fields = append(fields, field("code", string(v.Code)))
	}
	if v.Delivery != "" {
		fields = append(fields, field("delivery", v.Delivery))
	}
	if len(v.Types) > 0 {
		fields = append(fields, field("types", strings.Join(v.LogTypes(), ",")), field("events", strconv.Itoa(len(v.Types))))
	}
	fields = append(fields, v.Tried...)
	return append(fields, field("duration", time.Since(s.start).String()))
}

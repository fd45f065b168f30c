package main

import (
	"strconv"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/hex"
)

// publish tells the verdict to metrics and log, once.
func (s *stream) publish() {
	if s.route == nil || s.published {
		return
	}
	s.published = true
	s.route.metrics.verdict(s.verdict, s.start)
	switch s.verdict.Outcome {
	case core.Rejected, core.WouldReject:
		if hidden, ok := s.route.rejections.Lets(s.verdict.Code, s.start); ok {
			text := "webhook rejected"
			if s.verdict.Outcome == core.WouldReject {
				text = "webhook passed that would be rejected"
			}
			fields := s.logFields()
			if hidden > 0 {
				fields = append(fields, field("hidden", strconv.Itoa(hidden)))
			}
			logWarn(text, fields...)
		}
	default:
		if s.plugin.debug {
			logDebug("webhook "+string(s.verdict.Outcome), s.logFields()...)
		}
	}
}

// instance is the correlation id: Envoy's request id, which its access log can
// show, or one of ours where there is none.
func (s *stream) instance() string {
	if s.uuid == "" {
		if s.uuid = s.fields.first("x-request-id"); !isUUID(s.uuid) {
			s.uuid = newUUID()
		}
	}
	return "urn:uuid:" + s.uuid
}

// isUUID keeps what a client may have chosen to a form that says nothing.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

func newUUID() string {
	id := newToken()
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	text := hex.EncodeToString(id[:])
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

package core_test

import (
	"strings"
	"testing"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/provider"
	"github.com/hookward/hookward/core/unified"
)

// Few bytes that become many events, or that many events share, must not fill
// the memory: without a bound 64 KiB become 2 GB of one of these.
func TestDeliveriesAreBounded(t *testing.T) {
	list := func(before, item string, n int, after string) string {
		return before + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + after
	}
	const (
		changes = `{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages","value":{`
		end     = `]}}]}]}`
	)
	long := strings.Repeat("1", 1<<20)
	gates := map[string]*core.Gate{}
	for _, c := range []struct {
		about, provider, body string
		refused               bool
	}{
		{"as much as Meta sends", "meta", list(changes+`"statuses":[`, `{"id":"wamid.1","status":"sent"}`, 1000, end), false},
		{"as many as are taken", "meta", list(changes+`"messages":[`, `{}`, unified.MaxEvents, end), false},
		{"one more", "meta", list(changes+`"messages":[`, `{}`, unified.MaxEvents+1, end), true},
		{"entries that are none", "meta", list(`{"object":"page","entry":[`, `1`, 1000, `,"`+long+`"]}`), true},
		{"a receipt of many messages", "meta", list(`{"entry":[{"messaging":[{"delivery":{"mids":[`, `1`, 1000, `]},"x":"`+long+`"}]}]}`), true},
		{"one number of many messages", "meta", list(changes+`"metadata":{"display_phone_number":"`+long+`"},"messages":[`, `{}`, 1000, end), true},
		{"one account of many events", "x", list(`{"for_user_id":"`+long[:1<<19]+`","x":[`, `{}`, 1000, `]}`), true},
		{"one big event", "meta", `{"object":"page","entry":[{"x":"` + long + `"}]}`, false},
		{"members of one name", "telegram", list(`{"update_id":1,`, `"a":{},"a":1`, 10_000, `}`), false},
	} {
		p := provider.ByName(c.provider)
		r := &fuzzRequest{provider: p, method: "POST", target: "/hook", contentType: "application/json", body: c.body, sign: true}
		v := r.judge(fuzzGate(t, gates, p, fuzzAnyAge))
		if refused := v.Code == core.PayloadInvalid; refused != c.refused || v.Kind == core.Refuse && !refused {
			t.Errorf("%s: %s %s", c.about, v.Outcome, v.Code)
		}
		if len(v.Body) > 2*unified.MaxSize {
			t.Errorf("%s: %d bytes become %d", c.about, len(c.body), len(v.Body))
		}
	}
}

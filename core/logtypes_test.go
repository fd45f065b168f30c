package core_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hookward/hookward/core"
)

// A thousand statuses, or a provider's word of a megabyte, are no line of a
// megabyte in a log.
func TestLogTypes(t *testing.T) {
	many := make([]string, 1000)
	for i := range many {
		many[i] = "meta." + strconv.Itoa(i)
	}
	for _, c := range []struct{ types, want []string }{
		{nil, nil},
		{[]string{"message.sent", "message.read", "message.sent"}, []string{"message.sent", "message.read"}},
		{[]string{strings.Repeat("x", 1<<20)}, []string{strings.Repeat("x", 128)}},
		{[]string{"meta.a\nb"}, []string{"meta.a_b"}},
		{many, many[:16]},
	} {
		v := core.Verdict{Types: c.types}
		if got := v.LogTypes(); !slices.Equal(got, c.want) {
			t.Errorf("%d types: %q", len(c.types), got)
		}
	}
}

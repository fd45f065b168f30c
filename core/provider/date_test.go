package provider

import (
	"strings"
	"testing"
	"time"
)

// What date reads is what time.Parse reads, a fraction of the second included;
// of misspelt dates it may refuse more.
func TestDate(t *testing.T) {
	at := time.Date(2026, 2, 28, 23, 5, 9, 0, time.FixedZone("", -(3*60+30)*60))
	for _, layout := range append(dateLayouts[:], time.RFC1123Z, time.RubyDate, "2006-01-02T15:04:05-0700") {
		right := at.Format(layout)
		texts := []string{right, strings.Replace(right, ":09", ":09.123456789", 1), strings.Replace(right, ":09", ":09.5", 1), right + " ", ""}
		for i := range right {
			for _, c := range "0369-+:.ZTaM " {
				texts = append(texts, right[:i]+string(c)+right[i+1:])
			}
			texts = append(texts, right[:i], right[:i]+right[i+1:])
		}
		for _, text := range texts {
			want, err := time.Parse(layout, text)
			got, ok := date(layout, text)
			if ok && (err != nil || !got.Equal(want)) {
				t.Errorf("date(%q, %q) = %v, want %v, %v", layout, text, got, want, err)
			}
		}
		for _, text := range texts[:3] {
			if _, ok := date(layout, text); !ok {
				t.Errorf("date(%q, %q) is refused", layout, text)
			}
		}
	}
}

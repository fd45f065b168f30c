package hookward

import (
	"fmt"
	"strconv"
	"time"
)

// capacityNote says what a store's size comes to: how many events a second it
// can remember for the whole window.
func capacityNote(claims int, window time.Duration) string {
	return fmt.Sprintf("%s claims over %s hold %s events a second", grouped(claims), shortDuration(window), perSecond(claims, window))
}

// grouped is a number with commas between its thousands.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// shortDuration is a duration as people say it: several of the largest unit that
// is right to a hundredth. A window of 27h and the 5m by which clocks may differ
// are 27h.
func shortDuration(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if whole := d.Round(u.unit); whole > u.unit && (whole-d).Abs()*100 <= d {
			return strconv.FormatInt(int64(whole/u.unit), 10) + u.name
		}
	}
	return d.String()
}

// perSecond has two digits that count, and no more than are needed.
func perSecond(claims int, window time.Duration) string {
	rate := float64(claims) / window.Seconds()
	if rate >= 10 {
		return strconv.FormatFloat(rate, 'f', 0, 64)
	}
	return strconv.FormatFloat(rate, 'g', 2, 64)
}

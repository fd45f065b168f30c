package core

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// readDuration reads a setting; what is wrong with it is told, and 0 returned.
func readDuration(p *problems, place, text string, least, most time.Duration) time.Duration {
	d, err := parseDuration(text)
	if err != nil || d < least || d > most {
		p.add(place, "%q: a duration from %s to %s is wanted, such as 90s, 12h or 7d", text, inWords(least), inWords(most))
		return 0
	}
	return d
}

// parseDuration reads durations as Caddy does: Go's, and d for days.
func parseDuration(s string) (time.Duration, error) {
	for {
		end := strings.IndexByte(s, 'd')
		if end < 0 {
			return time.ParseDuration(s)
		}
		start := len(strings.TrimRight(s[:end], "0123456789."))
		days, err := strconv.ParseFloat(s[start:end], 64)
		if err != nil {
			return 0, err
		}
		s = s[:start] + strconv.FormatFloat(days*24, 'f', -1, 64) + "h" + s[end+1:]
	}
}

// inWords is d as people write it: 366d, 24h and not 24h0m0s.
func inWords(d time.Duration) string {
	const day = 24 * time.Hour
	if d > day && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

var sizeUnits = map[string]int64{
	"": 1, "b": 1,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "k": 1e3, "m": 1e6, "g": 1e9,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30,
}

// parseSize reads sizes as Caddy does: 1MiB is 1,048,576 bytes, 1MB 1,000,000.
func parseSize(s string) (int64, error) {
	i := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if i < 0 {
		i = len(s)
	}
	n, err := strconv.ParseFloat(s[:i], 64)
	unit, known := sizeUnits[strings.ToLower(strings.TrimSpace(s[i:]))]
	if err != nil || !known {
		return 0, errors.New("bad size")
	}
	n *= float64(unit)
	if n > math.MaxInt64/2 { // beyond, a float64 has no int64
		return 0, errors.New("bad size")
	}
	return int64(n), nil
}

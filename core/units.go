package core

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// parseDuration reads durations as Caddy does: Go's, and d for days.
func parseDuration(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	var (
		total time.Duration
		rest  = s
	)
	for {
		i := strings.IndexByte(rest, 'd')
		if i < 0 {
			break
		}
		start := i
		for start > 0 && (rest[start-1] >= '0' && rest[start-1] <= '9' || rest[start-1] == '.') {
			start--
		}
		days, err := strconv.ParseFloat(rest[start:i], 64)
		if err != nil || days < 0 || days > 36500 {
			return 0, errors.New("bad number of days")
		}
		total += time.Duration(days * float64(day))
		rest = rest[:start] + rest[i+1:]
	}
	if rest == "" && s != "" {
		return total, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || d > math.MaxInt64-total {
		return 0, errors.New("bad duration")
	}
	return total + d, nil
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
	return int64(n * float64(unit)), nil
}

package send

import (
	"crypto/rand"
	"embed"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/url"
	"path"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/hookward/hookward/core/provider"
)

// sampleFiles hold each provider's sample payloads, one file a provider. A
// sample begins with a line "-- name.json --" or "-- name.form --"; a form has
// one name=value a line, not escaped. The functions in fresh make ids and
// times, so that every sending is a new event.
//
//go:embed samples
var sampleFiles embed.FS

// sample is one payload before its ids and times are filled in.
type sample struct {
	name, text string
	form       bool
}

// Samples are the names of the provider's built-in payloads; the first is the
// default.
func Samples(p *provider.Provider) []string {
	var names []string
	for _, s := range samplesOf(p) {
		names = append(names, s.name)
	}
	return names
}

// Sample is a built-in payload with fresh ids and times. An empty name is the
// provider's first.
func Sample(p *provider.Provider, name string, now time.Time) (Payload, error) {
	all := samplesOf(p)
	i := slices.IndexFunc(all, func(s sample) bool { return name == "" || s.name == name })
	switch {
	case len(all) == 0:
		return Payload{}, fmt.Errorf("there is no built-in sample for %s: give a file", p.Name)
	case i < 0:
		return Payload{}, fmt.Errorf("%s has no sample %q (known: %s)", p.Name, name, strings.Join(Samples(p), ", "))
	}
	return all[i].payload(now)
}

func samplesOf(p *provider.Provider) (all []sample) {
	text, err := sampleFiles.ReadFile("samples/" + p.Name + ".txt")
	if err != nil {
		return nil
	}
	for part := range strings.SplitSeq("\n"+string(text), "\n-- ") {
		file, body, ok := strings.Cut(part, " --\n")
		if ok {
			extension := path.Ext(file)
			all = append(all, sample{strings.TrimSuffix(file, extension), body, extension == ".form"})
		}
	}
	return all
}

func (s sample) payload(now time.Time) (Payload, error) {
	t, err := template.New(s.name).Funcs(fresh(now)).Parse(s.text)
	if err != nil {
		return Payload{}, err
	}
	var b strings.Builder
	if err := t.Execute(&b, nil); err != nil {
		return Payload{}, err
	}
	text := strings.TrimSpace(b.String())
	if !s.form {
		return Payload{"application/json", []byte(text)}, nil
	}
	return Payload{formType, []byte(escapeForm(text))}, nil
}

// escapeForm makes a form of lines name=value.
func escapeForm(text string) string {
	var pairs []string
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(value))
	}
	return strings.Join(pairs, "&")
}

// fresh are the functions that a sample may call.
func fresh(now time.Time) template.FuncMap {
	now = now.UTC()
	return template.FuncMap{
		"hex":     randomHex,
		"digits":  randomDigits,
		"seconds": now.Unix,
		"millis":  now.UnixMilli,
		"rfc3339": func() string { return now.Format("2006-01-02T15:04:05.000Z07:00") },
		"rfc2822": func() string { return now.Format(time.RFC1123Z) },
		"date":    func() string { return now.Format(time.DateTime) },
	}
}

// randomHex are n random hexadecimal digits.
func randomHex(n int) string {
	b := make([]byte, (n+1)/2)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)[:n]
}

// randomDigits is a random number of n decimal digits, the first no zero.
func randomDigits(n int) (string, error) {
	low := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n-1)), nil)
	r, err := rand.Int(rand.Reader, new(big.Int).Mul(low, big.NewInt(9)))
	if err != nil {
		return "", err
	}
	return r.Add(r, low).String(), nil
}

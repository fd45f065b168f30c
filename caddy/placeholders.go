package hookward

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/hookward/hookward/core"
)

// mayHavePlaceholders are the keys whose values may be, or hold, {env.NAME} and
// {file./path}, with something good that stands in for a value that is not
// known (yet), so that everything else can be checked.
var mayHavePlaceholders = []struct {
	key    string
	secret bool
	values func(*core.Config) *[]string
	value  func(*core.Config) *string
	good   string
}{
	{key: "secrets", secret: true, values: func(c *core.Config) *[]string { return &c.Secrets }, good: strings.Repeat("x", 64)},
	{key: "verify_token", secret: true, values: func(c *core.Config) *[]string { return &c.VerifyToken }, good: "x"},
	{key: "sign_with", secret: true, values: func(c *core.Config) *[]string { return &c.SignWith }, good: "whsec_" + strings.Repeat("A", 32)},
	{key: "allow_ips", values: func(c *core.Config) *[]string { return &c.AllowIPs }, good: "private_ranges"},
	{key: "name", value: func(c *core.Config) *string { return &c.Name }, good: "x"},
	{key: "public_url", value: func(c *core.Config) *string { return &c.PublicURL }, good: "https://example.com"},
}

// replaceTexts is the configuration with every text that may have placeholders,
// and has a brace, replaced.
func replaceTexts(c core.Config, replace func(place, text, good string) string) core.Config {
	for _, m := range mayHavePlaceholders {
		if m.value != nil {
			if text := m.value(&c); strings.Contains(*text, "{") {
				*text = replace(m.key, *text, m.good)
			}
			continue
		}
		values := m.values(&c)
		*values = slices.Clone(*values)
		for i, text := range *values {
			if strings.Contains(text, "{") {
				(*values)[i] = replace(fmt.Sprintf("%s[%d]", m.key, i), text, m.good)
			}
		}
	}
	return c
}

// resolvePlaceholders gives placeholders their values. One that stays empty is
// an error, which never quotes what stands between the braces: in a secret's
// place that may be the secret. Something good stands in for it.
func resolvePlaceholders(c core.Config) (core.Config, error) {
	repl := caddy.NewReplacer()
	var errs []error
	c = replaceTexts(c, func(place, text, good string) string {
		out, err := repl.ReplaceOrErr(text, true, true)
		if err != nil {
			errs = append(errs, noValue(place, text))
			return good
		}
		return out
	})
	return c, errors.Join(errs...)
}

// unresolved is the configuration with something good in the place of every
// placeholder: what can be checked before their values are known.
func unresolved(c core.Config) core.Config {
	return replaceTexts(c, func(_, _, good string) string { return good })
}

// literalSecrets names the keys whose secrets are no placeholders.
func literalSecrets(c core.Config) (keys []string) {
	for _, m := range mayHavePlaceholders {
		if m.secret && slices.ContainsFunc(*m.values(&c), func(s string) bool { return !strings.Contains(s, "{") }) {
			keys = append(keys, m.key)
		}
	}
	return keys
}

var onlyVariable = regexp.MustCompile(`^\{env\.([A-Za-z_][A-Za-z0-9_]*)\}$`)

// noValue is the mistake of a placeholder without a value. Of the text only a
// variable's name is said, where that is all there is: anything else between
// braces may be part of a secret.
func noValue(place, text string) error {
	mend := "set the variable or the file that it names"
	if match := onlyVariable.FindStringSubmatch(text); match != nil {
		mend = "set " + match[1] + " in Caddy's own environment"
	}
	return fmt.Errorf("%s: a placeholder is unknown or empty: %s", place, mend)
}

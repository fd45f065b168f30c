package hookward

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"

	"github.com/hookward/hookward/core"
)

// resolvePlaceholders replaces {env.NAME} and {file./path} wherever a gate's
// strings may have them. A placeholder that stays empty is an error, which
// never quotes what stands between the braces: in a secret's place that may be
// the secret.
func resolvePlaceholders(c core.Config) (core.Config, error) {
	repl := caddy.NewReplacer()
	var errs []error
	resolve := func(key, text string) string {
		if !strings.Contains(text, "{") {
			return text
		}
		out, err := repl.ReplaceOrErr(text, true, true)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: a placeholder is unknown or empty: set the variable or the file that it names", key))
		}
		return out
	}
	list := func(key string, texts []string) []string {
		texts = slices.Clone(texts)
		for i := range texts {
			texts[i] = resolve(fmt.Sprintf("%s[%d]", key, i), texts[i])
		}
		return texts
	}
	c.Secrets = list("secrets", c.Secrets)
	c.VerifyToken = list("verify_token", c.VerifyToken)
	c.SignWith = list("sign_with", c.SignWith)
	c.AllowIPs = list("allow_ips", c.AllowIPs)
	c.Name = resolve("name", c.Name)
	c.PublicURL = resolve("public_url", c.PublicURL)
	return c, errors.Join(errs...)
}

// literalSecrets names the keys whose secrets are no placeholders.
func literalSecrets(c core.Config) (keys []string) {
	for _, list := range []struct {
		key    string
		values []string
	}{{"secrets", c.Secrets}, {"verify_token", c.VerifyToken}, {"sign_with", c.SignWith}} {
		if slices.ContainsFunc(list.values, func(s string) bool { return !strings.Contains(s, "{") }) {
			keys = append(keys, list.key)
		}
	}
	return keys
}

package core

import (
	"slices"
	"strings"
)

// Resolve replaces {env.NAME} wherever a gate's strings may have it, as get
// knows the environment. A placeholder that is unknown or stays empty is an
// error, which quotes the name of a variable and nothing else that stands between
// the braces: in a secret's place that may be the secret.
func (r Routes) Resolve(get func(name string) (string, bool)) (Routes, error) {
	var p problems
	r.Routes = slices.Clone(r.Routes)
	for i := range r.Routes {
		route := &r.Routes[i]
		text := func(key, text string) string { return resolve(&p, routePlace(i)+key, text, get) }
		list := func(key string, texts []string) []string {
			texts = slices.Clone(texts)
			for j := range texts {
				texts[j] = text(say("%s[%d]", key, j), texts[j])
			}
			return texts
		}
		route.Secrets = list("secrets", route.Secrets)
		route.VerifyToken = list("verify_token", route.VerifyToken)
		route.SignWith = list("sign_with", route.SignWith)
		route.AllowIPs = list("allow_ips", route.AllowIPs)
		route.Name = text("name", route.Name)
		route.PublicURL = text("public_url", route.PublicURL)
	}
	return r, p.err()
}

func resolve(p *problems, place, text string, get func(name string) (string, bool)) string {
	var out strings.Builder
	for rest := text; ; {
		before, after, found := strings.Cut(rest, "{")
		placeholder, tail, closed := strings.Cut(after, "}")
		if !found || !closed {
			out.WriteString(rest)
			return out.String()
		}
		name, isEnv := strings.CutPrefix(placeholder, "env.")
		value, set := "", false
		if isEnv {
			value, set = get(name)
		}
		if !set || value == "" {
			p.add(place, "a placeholder is unknown or empty: %s", mend(name, isEnv))
		}
		out.WriteString(before)
		out.WriteString(value)
		rest = tail
	}
}

// mend says how a placeholder gets its value.
func mend(name string, isEnv bool) string {
	if !isEnv || strings.ContainsFunc(name, notInVariable) {
		return "{env.NAME} is the only kind there is here"
	}
	return "give " + name + " to the filter by host_env_keys, and set it in Envoy's own environment"
}

// LiteralSecrets names the places whose secrets are no placeholders, in a
// configuration that Resolve has not seen.
func (r Routes) LiteralSecrets() (places []string) {
	for i, route := range r.Routes {
		for _, list := range []struct {
			key    string
			values []string
		}{{"secrets", route.Secrets}, {"verify_token", route.VerifyToken}, {"sign_with", route.SignWith}} {
			if slices.ContainsFunc(list.values, func(s string) bool { return !strings.Contains(s, "{") }) {
				places = append(places, routePlace(i)+list.key)
			}
		}
	}
	return places
}

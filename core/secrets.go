package core

import (
	"strings"
)

const (
	maxSecrets  = 4 // and verify tokens
	maxSignWith = 2
)

func (g *Gate) setSecrets(p *problems, secrets []string) {
	if len(secrets) == 0 {
		p.add("secrets", "at least one secret is needed: an endpoint without one would accept everybody")
		return
	}
	auth := &g.provider.Auth
	for i, s := range readSecrets(p, "secrets", secrets, maxSecrets) {
		if auth.IsToken() {
			g.tokens = append(g.tokens, s)
		} else {
			g.macs = append(g.macs, newMAC(auth.Algorithm, []byte(s)))
		}
		if s != "" && s != strings.Trim(s, " \t\"'\ufeff") {
			g.notes = append(g.notes, say("secrets[%d] begins or ends with a blank, a quote or a byte order mark: if the provider's does not, take it out of the variable or file", i))
		}
		if len(s) < auth.AdvisedLength {
			g.notes = append(g.notes, say("secrets[%d] is shorter than the %d characters that are advised for a token", i, auth.AdvisedLength))
		}
	}
}

func (g *Gate) setVerifyToken(p *problems, tokens []string) {
	g.verifyToken = readSecrets(p, "verify_token", tokens, maxSecrets)
	h := g.provider.Handshake
	wants := h != nil && h.VerifyToken != ""
	switch {
	case len(tokens) > 0 && !wants && g.provider != anyProvider:
		p.add("verify_token", "%s has no handshake with a verify token: remove it", g.provider.Name)
	case len(tokens) == 0 && wants:
		g.notes = append(g.notes, "verify_token is not set: every handshake is denied")
	}
}

// readSecrets cuts the newline that files end with, and refuses what is then
// empty, since an empty key would accept what anybody can sign, and what is
// still a placeholder or a variable's name, since that is no secret. What is
// refused leaves "".
func readSecrets(p *problems, key string, secrets []string, most int) []string {
	if secrets != nil && len(secrets) == 0 {
		p.add(key, "is empty: give one, or leave the key out")
	}
	if len(secrets) > most {
		p.add(key, "has %d entries, at most %d can be good at once: remove the old ones", len(secrets), most)
	}
	good := make([]string, len(secrets))
	for i, s := range secrets {
		s = strings.TrimRight(s, "\r\n")
		place := say("%s[%d]", key, i)
		switch {
		case strings.TrimSpace(s) == "":
			p.add(place, "is empty: set the variable or file that it is read from")
		case isPlaceholder(s):
			p.add(place, "is a placeholder that nothing has replaced: set the variable or file that it names")
		case isBareName(s):
			p.add(place, "is the name of a variable or file, and not what is in it: write it as {env.NAME}, or in Caddy {file./path}")
		default:
			good[i] = s
		}
	}
	return good
}

func isPlaceholder(s string) bool {
	if !strings.HasSuffix(s, "}") {
		return false
	}
	return strings.HasPrefix(s, "{env.") || strings.HasPrefix(s, "{file.") || strings.HasPrefix(s, "{$")
}

// isBareName says that a placeholder was meant and written as a shell or
// without braces.
func isBareName(s string) bool {
	if strings.HasPrefix(s, "file./") {
		return true
	}
	name, bare := strings.CutPrefix(s, "env.")
	if !bare {
		name, bare = strings.CutPrefix(s, "$")
	}
	return bare && name != "" && !strings.ContainsFunc(name, notInVariable)
}

func notInVariable(r rune) bool {
	return (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_'
}

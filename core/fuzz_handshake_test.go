package core_test

import (
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/core/provider"
)

// FuzzHandshake: a challenge is echoed for the right verify token alone, and
// signed only where it can't be a body. What can be answered is.
func FuzzHandshake(f *testing.F) {
	var shakers []*provider.Provider
	for _, p := range provider.All() {
		if p.Handshake != nil {
			shakers = append(shakers, p)
		}
	}
	addHandshakes(f, shakers)
	f.Fuzz(func(t *testing.T, which uint8, query string) {
		p := shakers[int(which)%len(shakers)]
		config := core.Config{Provider: p.Name, Secrets: []string{fuzzSecret, "another-secret"}}
		if p.Handshake.VerifyToken != "" {
			config.VerifyToken = []string{"an-old-token", "the-token"}
		}
		gate, err := core.New(config)
		if err != nil {
			t.Fatal(err)
		}
		_, v := gate.Begin(noon, core.Head{Method: "GET", Target: "/?" + query, Client: netip.MustParseAddr("192.0.2.1"), Header: fields{}})
		want, good := handshakeAnswer(p, query)
		if !good {
			if v.Kind != core.Refuse || v.Code != core.HandshakeDenied || v.Status != 403 {
				t.Fatalf("%s answers %d %s", p.Name, v.Status, v.Body)
			}
			return
		}
		if v.Kind != core.Answer || v.Outcome != core.Shaken || v.Status != 200 || string(v.Body) != want {
			t.Fatalf("%s answers %d %s, want %s", p.Name, v.Status, v.Body, want)
		}
		if answered(v, "X-Content-Type-Options") != "nosniff" {
			t.Fatalf("%s answers what a browser may run", p.Name)
		}
	})
}

func addHandshakes(f *testing.F, shakers []*provider.Provider) {
	all, err := cases.Load()
	if err != nil {
		f.Fatal(err)
	}
	added := 0
	for _, c := range all {
		for _, s := range c.Steps {
			_, query, _ := strings.Cut(s.Request.Target, "?")
			if s.Request.Method != "GET" || query == "" {
				continue
			}
			added++
			for which := range shakers {
				f.Add(uint8(which), query)
				f.Add(uint8(which), query+"&hub.verify_token=the-token")
			}
		}
	}
	if added < len(shakers) {
		f.Fatalf("only %d handshakes in the cases", added)
	}
	f.Add(uint8(0), "hub.mode=subscribe&hub.challenge=1&hub.verify_token=the-token")
}

var crcToken = regexp.MustCompile(`^[A-Za-z0-9+/=_.~-]{1,200}$`)

// handshakeAnswer is what the provider's documentation wants.
func handshakeAnswer(p *provider.Provider, query string) (body string, good bool) {
	h := p.Handshake
	challenges := queryAll("?"+query, h.Challenge)
	if len(challenges) != 1 {
		return "", false
	}
	if h.Answer == provider.Echo {
		tokens, modes := queryAll("?"+query, h.VerifyToken), queryAll("?"+query, h.Mode)
		good = reflect.DeepEqual(modes, []string{h.ModeValue}) && len(tokens) == 1 && slices.Contains([]string{"an-old-token", "the-token"}, tokens[0])
		return challenges[0], good && 1 <= len(challenges[0]) && len(challenges[0]) <= 200
	}
	// A plus is a plus here, and the name stands as it is.
	raw := strings.ReplaceAll(query, "+", "%2B")
	tokens := queryAll("?"+raw, h.Challenge)
	if !slices.ContainsFunc(strings.Split(query, "&"), func(part string) bool { return strings.HasPrefix(part, h.Challenge+"=") }) {
		return "", false
	}
	if len(tokens) != 1 || !crcToken.MatchString(tokens[0]) {
		return "", false
	}
	sum := sealed(provider.Auth{Algorithm: p.Auth.Algorithm, Encoding: provider.Base64}, tokens[0])
	return `{"response_token":"sha256=` + sum + `"}`, true
}

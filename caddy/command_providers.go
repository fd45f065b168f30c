package hookward

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/hookward/hookward/caddy/send"
	"github.com/hookward/hookward/core/provider"
)

// printProviders tells what is known of the providers of these names, of all
// where there are none.
func printProviders(w io.Writer, names []string) error {
	list, err := providersNamed(names)
	for i, p := range list {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s: %s\n", p.Name, p.Title)
		for _, line := range describeProvider(p) {
			fmt.Fprintf(w, "  %-13s %s\n", line[0], line[1])
		}
	}
	return err
}

func providersNamed(names []string) (list []*provider.Provider, err error) {
	if len(names) == 0 {
		return provider.All(), nil
	}
	for _, name := range names {
		p, err := providerNamed(name)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func providerNamed(name string) (*provider.Provider, error) {
	if p := provider.ByName(name); p != nil {
		return p, nil
	}
	var known []string
	for _, p := range provider.All() {
		known = append(known, p.Name)
	}
	return nil, fmt.Errorf("unknown provider %q (known: %s)", name, strings.Join(known, ", "))
}

func describeProvider(p *provider.Provider) [][2]string {
	return [][2]string{
		{"scheme", schemeWords(&p.Auth)},
		{"handshake", handshakeWords(p.Handshake)},
		{"identity", p.Identity},
		{"window", windowWords(p)},
		{"retries", p.Retries},
		{"replay bound", p.ReplayBound},
		{"samples", strings.Join(send.Samples(p), ", ")},
		{"docs", p.Docs},
	}
}

// coverage are the words for what a signature covers.
var coverage = map[provider.Signed]string{
	provider.RawBody:    "the body",
	provider.URLAndForm: "the URL and the form",
}

func schemeWords(a *provider.Auth) string {
	if a.IsToken() {
		return "token in " + a.Places() + ", nothing is signed"
	}
	return fmt.Sprintf("HMAC-%s of %s, in %s, in %s",
		strings.ToUpper(string(a.Algorithm)), coverage[a.Signed], a.Encoding, a.Places())
}

func handshakeWords(h *provider.Handshake) string {
	switch {
	case h == nil:
		return "none"
	case h.Answer == provider.SignedToken:
		return "GET with " + h.Challenge + ", answered with its HMAC"
	default:
		return "GET with " + h.Challenge + " and " + h.VerifyToken + ", answered with the former"
	}
}

func windowWords(p *provider.Provider) string {
	words := fmt.Sprintf("%d h", p.Window/time.Hour)
	if p.Timed {
		words += ", and older events are stale by their signed time"
	}
	return words
}

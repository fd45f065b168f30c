package send

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hookward/hookward/core/provider"
)

var (
	hashes = map[provider.Algorithm]func() hash.Hash{
		provider.SHA256: sha256.New,
		provider.SHA1:   sha1.New,
	}
	encodings = map[provider.Encoding]func([]byte) string{
		provider.Hex:    hex.EncodeToString,
		provider.Base64: base64.StdEncoding.EncodeToString,
	}
)

// sign puts the signature or token where the provider puts it.
func (s *Sender) sign(r *http.Request, p Payload) error {
	auth := &s.Provider.Auth
	if auth.IsToken() {
		s.addToken(r)
		return nil
	}
	newHash, encode := hashes[auth.Algorithm], encodings[auth.Encoding]
	if newHash == nil || encode == nil {
		return fmt.Errorf("signing with %s in %s is not known here", auth.Algorithm, auth.Encoding)
	}
	message, err := s.signed(r, p)
	if err != nil {
		return err
	}
	mac := hmac.New(newHash, []byte(s.Secret))
	mac.Write(message)
	r.Header.Set(auth.Headers[0], auth.Prefix+encode(mac.Sum(nil)))
	return nil
}

func (s *Sender) addToken(r *http.Request) {
	auth := &s.Provider.Auth
	if len(auth.Headers) > 0 {
		r.Header.Set(auth.Headers[0], s.Secret)
		return
	}
	addQuery(r.URL, auth.Query, s.Secret)
}

// signed is what the signature covers.
func (s *Sender) signed(r *http.Request, p Payload) ([]byte, error) {
	switch covers := s.Provider.Auth.Signed; covers {
	case provider.RawBody:
		return p.Body, nil
	case provider.URLAndForm:
		return s.urlAndForm(r, p)
	default:
		return nil, fmt.Errorf("signing %q is not known here", covers)
	}
}

// urlAndForm is the URL followed by the form's names and values, sorted by
// name. A body that is no form is covered by its SHA-256 in the query.
func (s *Sender) urlAndForm(r *http.Request, p Payload) ([]byte, error) {
	if p.ContentType != formType {
		sum := sha256.Sum256(p.Body)
		addQuery(r.URL, "bodySHA256", hex.EncodeToString(sum[:]))
		return []byte(s.publicURL(r.URL)), nil
	}
	form, err := url.ParseQuery(string(p.Body))
	if err != nil {
		return nil, fmt.Errorf("reading the payload as a form: %w", err)
	}
	message := []byte(s.publicURL(r.URL))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			message = append(append(message, name...), value...)
		}
	}
	return message, nil
}

// SignedURL is the URL of a request as it was signed, fit to be shown; "" where
// the provider signs none.
func (s *Sender) SignedURL(u *url.URL) string {
	if s.Provider.Auth.Signed != provider.URLAndForm {
		return ""
	}
	signed, err := url.Parse(s.publicURL(u))
	if err != nil {
		return "what is no URL"
	}
	return signed.Redacted()
}

// publicURL is the URL as the provider was given it. No provider would call a
// path that stands there twice.
func (s *Sender) publicURL(u *url.URL) string {
	base := s.PublicURL
	if base == "" {
		base = u.Scheme + "://" + u.Host
	}
	scheme, rest, _ := strings.Cut(strings.TrimSuffix(base, "/"), "://")
	if path := u.EscapedPath(); len(path) > 1 {
		rest = strings.TrimSuffix(rest, path)
	}
	return scheme + "://" + rest + u.RequestURI()
}

// challengeMAC is the HMAC that X wants in answer to its challenge.
func (s *Sender) challengeMAC(challenge string) string {
	mac := hmac.New(sha256.New, []byte(s.Secret))
	mac.Write([]byte(challenge))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func addQuery(u *url.URL, name, value string) {
	parameter := url.QueryEscape(name) + "=" + url.QueryEscape(value)
	if u.RawQuery != "" {
		parameter = u.RawQuery + "&" + parameter
	}
	u.RawQuery = parameter
}

// Package send makes requests as a provider would send them: signed payloads
// and handshakes, for trying a configuration out. It shares no code with the
// verification, only the data on how each provider signs.
package send

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/hookward/hookward/core/provider"
)

// Sender sends as one provider to one endpoint.
type Sender struct {
	// Provider is who is sending.
	Provider *provider.Provider
	// URL is where the requests go.
	URL string
	// PublicURL is the URL that the provider was given, with or without the path,
	// for those that sign the URL. Default: URL.
	PublicURL string
	// Secret is what the requests are signed with, or the token.
	Secret string
	// VerifyToken goes along with a handshake that wants one.
	VerifyToken string
}

// Payload is a delivery's body.
type Payload struct {
	ContentType string
	Body        []byte
}

// NewPayload is a payload as its provider would label it: where it may be a
// form or JSON, the first byte tells.
func NewPayload(p *provider.Provider, body []byte) Payload {
	json := Payload{"application/json", body}
	form := Payload{formType, bytes.TrimRight(body, "\r\n")}
	switch {
	case p.Body == provider.Form:
		return form
	case p.Body == provider.ByContentType && !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")):
		return form
	default:
		return json
	}
}

const formType = "application/x-www-form-urlencoded"

// Delivery is the signed request for a payload.
func (s *Sender) Delivery(p Payload) (*http.Request, error) {
	r, err := http.NewRequest(http.MethodPost, s.URL, bytes.NewReader(p.Body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", p.ContentType)
	r.Header.Set("User-Agent", userAgent)
	return r, s.sign(r, p)
}

// Forgery is the request of somebody who doesn't know the secret: well formed,
// signed with another one.
func (s *Sender) Forgery(p Payload) (*http.Request, error) {
	forger := *s
	forger.Secret = rand.Text()
	return forger.Delivery(p)
}

const userAgent = "caddy-webhook-send"

// Handshake is the request by which the provider asks whether the URL is ours,
// and the challenge in it.
func (s *Sender) Handshake() (r *http.Request, challenge string, err error) {
	h := s.Provider.Handshake
	if h == nil {
		return nil, "", fmt.Errorf("%s has no handshake", s.Provider.Name)
	}
	u, err := url.Parse(s.URL)
	if err != nil {
		return nil, "", err
	}
	challenge = strings.ToLower(rand.Text())
	query := u.Query()
	query.Set(h.Challenge, challenge)
	if h.Mode != "" {
		query.Set(h.Mode, h.ModeValue)
	}
	if h.VerifyToken != "" {
		query.Set(h.VerifyToken, s.VerifyToken)
	}
	u.RawQuery = query.Encode()
	r, err = http.NewRequest(http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("User-Agent", userAgent)
	return r, challenge, nil
}

// Answers says that body is the right answer to a handshake's challenge.
func (s *Sender) Answers(challenge string, body []byte) bool {
	switch s.Provider.Handshake.Answer {
	case provider.Echo:
		return string(body) == challenge
	case provider.SignedToken:
		return strings.TrimSpace(string(body)) == `{"response_token":"sha256=`+s.challengeMAC(challenge)+`"}`
	default:
		return false
	}
}

package provider

import "strings"

// Auth is what makes a delivery authentic: a signature (an HMAC under a shared
// secret) or a token (the shared secret itself comes along).
type Auth struct {
	// Headers are where the signature or token may stand. Each must be single;
	// of several one good one suffices.
	Headers []string
	// Query is a query parameter where a token may stand instead.
	Query string
	// Algorithm is the HMAC's hash; empty for a token.
	Algorithm Algorithm
	// Encoding is how the signature is written.
	Encoding Encoding
	// Prefix stands before the encoded signature.
	Prefix string
	// PrefixOptional lets the prefix be left out.
	PrefixOptional bool
	// Signed is what the HMAC is computed over.
	Signed Signed
	// Legacy are headers with older signatures that are not accepted, and are
	// removed with the others.
	Legacy []string
	// AdvisedLength is how long a secret should be; a shorter one is accepted
	// and the operator told.
	AdvisedLength int
}

// IsToken says that a shared secret comes along and nothing is signed.
func (a *Auth) IsToken() bool { return a.Algorithm == "" }

// Places says in words where the signature or token may stand.
func (a *Auth) Places() string {
	places := strings.Join(a.Headers, " or ")
	if a.Query != "" {
		places += " or ?" + a.Query + "="
	}
	return places
}

// Assurance is the word for what a verdict stands on.
func (a *Auth) Assurance() string {
	if a.IsToken() {
		return "token"
	}
	return "signature"
}

// Algorithm is an HMAC's hash function.
type Algorithm string

// The algorithms.
const (
	SHA256 Algorithm = "sha256"
	SHA1   Algorithm = "sha1"
)

// Encoding is how bytes are written as text.
type Encoding string

// The encodings. Hex is read in both cases; Base64 is the standard alphabet
// with padding.
const (
	Hex    Encoding = "hex"
	Base64 Encoding = "base64"
)

// Signed is what a signature covers.
type Signed string

// What signatures cover.
const (
	// RawBody: the body's bytes as they were received.
	RawBody Signed = "body"
	// URLAndForm: the URL that the provider was given, followed by the form's
	// parameters sorted by name. A body that is no form is covered by its
	// SHA-256 in the query parameter bodySHA256. See
	// https://www.twilio.com/docs/usage/webhooks/webhooks-security
	URLAndForm Signed = "url_and_form"
)

// Handshake is how a provider asks whether a URL is ours: by a GET whose query
// holds a challenge.
type Handshake struct {
	// Challenge is the query parameter to be answered.
	Challenge string
	// Mode and ModeValue, where set, are a parameter and the value it must have.
	Mode, ModeValue string
	// VerifyToken is the parameter that must be one of the gate's verify
	// tokens.
	VerifyToken string
	// Answer is how the challenge is answered.
	Answer HandshakeAnswer
}

// HandshakeAnswer is how a challenge is answered.
type HandshakeAnswer string

// The answers.
const (
	// Echo: the challenge itself, as text/plain.
	Echo HandshakeAnswer = "echo"
	// SignedToken: {"response_token":"sha256=<base64 HMAC of the challenge>"}
	// under the first secret. The answer signs what a stranger chose with the
	// key that signs events, so only what can't be a body is answered.
	SignedToken HandshakeAnswer = "signed_token"
)

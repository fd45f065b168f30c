package provider

import "time"

// X sends the Account Activity API's events, several in a request, and the X
// Activity API's, one in a request. Apps with OAuth 1.0a keys get the first
// signature header (under the consumer secret), newer apps the second (under
// the OAuth 2.0 client secret), some both.
// https://docs.x.com/x-api/webhooks/introduction
var _ = register(&Provider{
	Name:  "x",
	Title: "X (Twitter)",
	Docs:  "https://docs.x.com/x-api/webhooks/introduction",
	Auth: Auth{
		Headers:   []string{"X-Twitter-Webhooks-Signature", "X-Twitter-Webhooks-Signature-Oauth2"},
		Algorithm: SHA256,
		Encoding:  Base64,
		Prefix:    "sha256=",
		Signed:    RawBody,
	},
	Handshake: &Handshake{
		Challenge: "crc_token",
		Answer:    SignedToken,
	},
	Body:        JSON,
	Retries:     "yes, for some minutes",
	Retried:     true,
	Window:      24 * time.Hour,
	Identity:    "for_user_id, kind and id (follows and the like: type, source, target and time); else digest and index",
	ReplayBound: "24 h: nothing signed says when a delivery was sent",
	Map:         mapX,
})

package provider

import "time"

// Meta sends for WhatsApp, Messenger and Instagram alike: one signature, one
// handshake; the payload's "object" says for which.
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started
var _ = register(&Provider{
	Name:  "meta",
	Title: "Meta (WhatsApp, Messenger, Instagram)",
	Docs:  "https://developers.facebook.com/docs/graph-api/webhooks/getting-started",
	Auth: Auth{
		Headers:   []string{"X-Hub-Signature-256"},
		Legacy:    []string{"X-Hub-Signature"},
		Algorithm: SHA256,
		Encoding:  Hex,
		Prefix:    "sha256=",
		Signed:    RawBody,
	},
	Handshake: &Handshake{
		Challenge:   "hub.challenge",
		Mode:        "hub.mode",
		ModeValue:   "subscribe",
		VerifyToken: "hub.verify_token",
		Answer:      Echo,
	},
	Body:        JSON,
	MaxBody:     4 << 20,
	Retries:     "yes, for 7 days",
	Retried:     true,
	Window:      185 * time.Hour,
	Identity:    "WhatsApp: wamid, for a status with status, recipient and participant; Messenger and Instagram: kind, mid, actor and action; else digest and index",
	ReplayBound: "185 h: nothing signed says when a delivery was sent",
	Map:         mapMeta,
})

// mapMeta sorts by product.
func mapMeta(d *Delivery) {
	if d.JSON.Get("object").Text() == "whatsapp_business_account" {
		mapWhatsApp(d)
		return
	}
	d.Other("unknown", d.Data())
}

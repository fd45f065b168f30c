package core

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/hookward/hookward/core/hex"
	"github.com/hookward/hookward/core/provider"
	"github.com/hookward/hookward/core/unified"
)

// The headers of Standard Webhooks, see
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
const (
	headerWebhookID        = "Webhook-Id"
	headerWebhookTimestamp = "Webhook-Timestamp"
	headerWebhookSignature = "Webhook-Signature"
)

// setSignWith reads Standard Webhooks secrets: whsec_ and 24 to 64 bytes in
// base64.
func (g *Gate) setSignWith(p *problems, secrets []string) {
	for i, s := range readSecrets(p, "sign_with", secrets, maxSignWith) {
		if s == "" {
			continue // told already
		}
		text, found := strings.CutPrefix(s, "whsec_")
		key, err := base64.StdEncoding.DecodeString(text)
		if !found || err != nil || len(key) < 24 || len(key) > 64 {
			p.add(say("sign_with[%d]", i), "is no Standard Webhooks secret: whsec_ and 24 to 64 random bytes in base64 are wanted, as made by: echo whsec_$(openssl rand -base64 32)")
			continue
		}
		g.signWith = append(g.signWith, newMAC(provider.SHA256, key))
	}
}

// sign adds Standard Webhooks headers for body to the forwarded request. The
// id is the same whenever the same events of the same delivery are forwarded.
func (g *Gate) sign(v *Verdict, now time.Time, body []byte, events []unified.Event, keep func(int) bool) {
	name := []byte(v.Delivery)
	for i := range events {
		if keep(i) {
			name = append(append(name, 0), events[i].ID...)
		}
	}
	digest := sum256(name)
	id := "msg_" + hex.EncodeToString(digest[:16])
	timestamp := strconv.FormatInt(now.Unix(), 10)
	var signatures []string
	for _, m := range g.signWith {
		sum := m.sum(nil, []byte(id+"."+timestamp+"."), body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(sum))
	}
	v.Set = append(v.Set,
		Field{headerWebhookID, id},
		Field{headerWebhookTimestamp, timestamp},
		Field{headerWebhookSignature, strings.Join(signatures, " ")})
}

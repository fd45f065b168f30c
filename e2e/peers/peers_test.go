// Package peers measures the gate beside the libraries that people would use
// instead. It is a module of its own, so that the project needs none of them.
package peers

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/go-playground/webhooks/v6/github"
	"github.com/line/line-bot-sdk-go/v8/linebot/webhook"
	"github.com/slack-go/slack"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	stripe "github.com/stripe/stripe-go/v82/webhook"
	"github.com/twilio/twilio-go/client"

	"github.com/hookward/hookward/core"
)

const secret = "s3cr3t-of-the-app"

// body is a WhatsApp text message of 532 bytes.
var body = []byte(`{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Sheena Nelson"},"wa_id":"16505551234"}],"messages":[{"from":"16505551234","id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=","timestamp":"1749416383","type":"text","text":{"body":"Does it come in another color? I would like to order two of them, please."}}]},"field":"messages"}]}]}`)

// peers verify the same body, each by its own scheme. What a library does
// besides is in its name.
var peers = []struct {
	name string
	make func(testing.TB) func() error
}{
	{"crypto/hmac, key set anew", hmacAlone},
	{"Hookward: verified, claimed, normalized", hookward},
	{"line-bot-sdk-go", line},
	{"slack-go", slackGo},
	{"stripe-go", stripeGo},
	{"standard-webhooks", standard},
	{"twilio-go (bodySHA256)", twilio},
	{"go-playground/webhooks (and encoding/json)", playground},
}

func sum(h func() hash.Hash, message []byte) []byte {
	m := hmac.New(h, []byte(secret))
	m.Write(message)
	return m.Sum(nil)
}

func expect(ok bool) error {
	if !ok {
		return fmt.Errorf("a good signature was refused")
	}
	return nil
}

func hmacAlone(testing.TB) func() error {
	want := sum(sha256.New, body)
	return func() error { return expect(hmac.Equal(want, sum(sha256.New, body))) }
}

func hookward(t testing.TB) func() error {
	gate, err := core.New(core.Config{Provider: "meta", Secrets: []string{secret}})
	if err != nil {
		t.Fatal(err)
	}
	head := core.Head{
		Method: "POST", Scheme: "https", Host: "example.com", Target: "/hooks/meta",
		Client: netip.MustParseAddr("203.0.113.7"), ContentLength: int64(len(body)),
		Header: header{
			"Content-Type":        {"application/json"},
			"Content-Length":      {strconv.Itoa(len(body))},
			"User-Agent":          {"facebookexternalua"},
			"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(sum(sha256.New, body))},
		},
	}
	now, states := time.Now(), []core.State{core.Claimed}
	return func() error {
		check, v := gate.Begin(now, head)
		if v == nil {
			v = check.Body(body, core.BodyComplete)
		}
		if v == nil {
			v = check.Claimed(states)
		}
		return expect(v.Kind == core.Forward)
	}
}

// header is looked into by canonical names, as the hosts do it.
type header http.Header

func (h header) Values(name string) []string { return h[name] }

func line(testing.TB) func() error {
	signature := base64.StdEncoding.EncodeToString(sum(sha256.New, body))
	return func() error { return expect(webhook.ValidateSignature(secret, signature, body)) }
}

func slackGo(testing.TB) func() error {
	now := strconv.FormatInt(time.Now().Unix(), 10)
	signature := sum(sha256.New, fmt.Appendf(nil, "v0:%s:%s", now, body))
	h := http.Header{"X-Slack-Request-Timestamp": {now}, "X-Slack-Signature": {"v0=" + hex.EncodeToString(signature)}}
	return func() error {
		v, err := slack.NewSecretsVerifier(h, secret)
		if err != nil {
			return err
		}
		if _, err := v.Write(body); err != nil {
			return err
		}
		return v.Ensure()
	}
}

func stripeGo(testing.TB) func() error {
	now := time.Now()
	h := fmt.Sprintf("t=%d,v1=%x", now.Unix(), stripe.ComputeSignature(now, body, secret))
	return func() error { return stripe.ValidatePayload(body, h, secret) }
}

func standard(t testing.TB) func() error {
	wh, err := standardwebhooks.NewWebhookRaw([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	signature, err := wh.Sign("msg_1", now, body)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{"Webhook-Id": {"msg_1"}, "Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)}, "Webhook-Signature": {signature}}
	return func() error { return wh.Verify(body, h) }
}

func twilio(testing.TB) func() error {
	digest := sha256.Sum256(body)
	url := "https://example.com/hooks/twilio?bodySHA256=" + hex.EncodeToString(digest[:])
	signature := base64.StdEncoding.EncodeToString(sum(sha1.New, []byte(url)))
	v := client.NewRequestValidator(secret)
	return func() error { return expect(v.ValidateBody(url, body, signature)) }
}

func playground(t testing.TB) func() error {
	hook, err := github.New(github.Options.Secret(secret))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest("POST", "https://example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"X-Github-Event": {"ping"}, "X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(sum(sha256.New, body))}}
	return func() error {
		r.Body = io.NopCloser(bytes.NewReader(body))
		_, err := hook.Parse(r, github.PingEvent)
		return err
	}
}

package core_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/core"
)

// standardWebhook is the signature of Standard Webhooks, from its specification:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func standardWebhook(t *testing.T, secret, id, timestamp, body string) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + timestamp + "." + body))
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// The computation that the gate is held to is right itself: the vector that
// Svix and the Standard Webhooks libraries are tested with.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/go/webhook_test.go
func TestStandardWebhookVector(t *testing.T) {
	got := standardWebhook(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", `{"test": 2432232314}`)
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

const (
	signKey    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	oldSignKey = "whsec_" + "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="
)

// accepted is the verdict on the benchmark's message.
func accepted(t *testing.T, config string, now time.Time, body string) *core.Verdict {
	t.Helper()
	gate := mustLoad(t, `{"provider":"meta","secrets":["`+benchSecret+`"],`+config+`}`)
	check, v := gate.Begin(now, core.Head{
		Method: "POST", Target: "/", Client: netip.MustParseAddr("192.0.2.1"),
		Header: benchHeader([]byte(body)), ContentLength: int64(len(body)),
	})
	if v == nil {
		v = check.Body([]byte(body), core.BodyComplete)
	}
	if v == nil {
		v = check.Claimed(slices.Repeat([]core.State{core.Claimed}, len(check.Keys())))
	}
	if v.Kind != core.Forward {
		t.Fatalf("%s: %s", config, v.Code)
	}
	return v
}

func set(v *core.Verdict, name string) string {
	for _, f := range v.Set {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

func TestSignWith(t *testing.T) {
	for _, output := range []string{"unified", "original"} {
		v := accepted(t, `"output":"`+output+`","sign_with":["`+signKey+`","`+oldSignKey+`"]`, noon, benchBody)
		body := benchBody
		if v.Rewrite {
			body = string(v.Body)
		}
		id, timestamp := set(v, "webhook-id"), set(v, "webhook-timestamp")
		if timestamp != strconv.FormatInt(noon.Unix(), 10) || !strings.HasPrefix(id, "msg_") || strings.Contains(id, ".") {
			t.Errorf("%s: id %q, timestamp %q", output, id, timestamp)
		}
		want := standardWebhook(t, signKey, id, timestamp, body) + " " + standardWebhook(t, oldSignKey, id, timestamp, body)
		if got := set(v, "webhook-signature"); got != want {
			t.Errorf("%s: signature %q, want %q", output, got, want)
		}
		for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
			if !slices.Contains(v.Remove, name) {
				t.Errorf("%s: a client's own %s is left", output, name)
			}
		}
	}
}

// The id is the delivery's: the same for a retry, another for other events.
func TestSignWithID(t *testing.T) {
	id := func(now time.Time, config, body string) string {
		return set(accepted(t, config+`"sign_with":["`+signKey+`"]`, now, body), "webhook-id")
	}
	first := id(noon, "", benchBody)
	if again := id(noon.Add(time.Hour), "", benchBody); again != first {
		t.Errorf("a retry has the id %s, want %s", again, first)
	}
	if other := id(noon, "", strings.Replace(benchBody, "color", "size", 1)); other == first {
		t.Errorf("another delivery has the same id %s", other)
	}
	two := strings.Replace(benchBody, `"messages":[{`, `"messages":[{"from":"16505551234","id":"wamid.2","timestamp":"1749416383","type":"image","image":{}},{`, 1)
	if text := id(noon, `"events":["message.received"],`, two); text == first {
		t.Errorf("a delivery of two events has the id %s of one", text)
	}
}

// Without sign_with what a client sends of these headers is no business of ours.
func TestNoSignWith(t *testing.T) {
	v := accepted(t, `"name":"a"`, noon, benchBody)
	if set(v, "webhook-signature") != "" || slices.Contains(v.Remove, "Webhook-Signature") {
		t.Errorf("set %v, removed %v", v.Set, v.Remove)
	}
}

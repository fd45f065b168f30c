package core_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/hookward/hookward/core"
)

const benchSecret = "s3cr3t-of-the-app"

// benchBody is a WhatsApp text message of 532 bytes.
const benchBody = `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Sheena Nelson"},"wa_id":"16505551234"}],"messages":[{"from":"16505551234","id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=","timestamp":"1749416383","type":"text","text":{"body":"Does it come in another color? I would like to order two of them, please."}}]},"field":"messages"}]}]}`

// header is looked into by canonical names, as the hosts do it.
type header http.Header

func (h header) Values(name string) []string { return h[name] }

func benchHeader(body []byte) http.Header {
	m := hmac.New(sha256.New, []byte(benchSecret))
	m.Write(body)
	return http.Header{
		"Content-Type":        {"application/json"},
		"Content-Length":      {strconv.Itoa(len(body))},
		"User-Agent":          {"facebookexternalua"},
		"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(m.Sum(nil))},
	}
}

// BenchmarkGate is one WhatsApp message verified, claimed and normalized;
// BenchmarkHMAC is what it is measured against.
func BenchmarkGate(b *testing.B) {
	gate, err := core.New(core.Config{Provider: "meta", Secrets: []string{benchSecret}})
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(benchBody)
	benchGate(b, gate, "/hooks/meta", header(benchHeader(body)), body)
}

// BenchmarkVerify is the verification alone, its deliveryId with it.
func BenchmarkVerify(b *testing.B) {
	gate, err := core.New(core.Config{Provider: "meta", Secrets: []string{benchSecret}})
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(benchBody)
	head := core.Head{Method: "POST", Target: "/hooks/meta", Header: header(benchHeader(body)), ContentLength: int64(len(body))}
	b.ReportAllocs()
	for b.Loop() {
		check, _ := gate.Begin(time.Time{}, head)
		if code := check.Authenticate(body); code != "" {
			b.Fatal(code)
		}
	}
}

// benchForm is an SMS by Twilio, of 20 parameters, and its signature for
// https://example.com/hooks/twilio.
const (
	benchForm          = "ToCountry=US&ToState=CA&SmsMessageSid=SM00000000000000000000000000000001&NumMedia=0&ToCity=&FromZip=94107&SmsSid=SM00000000000000000000000000000001&FromState=CA&SmsStatus=received&FromCity=SAN+FRANCISCO&Body=Is+my+order+there%3F&FromCountry=US&To=%2B15550100001&MessagingServiceSid=MG00000000000000000000000000000001&ToZip=&NumSegments=1&MessageSid=SM00000000000000000000000000000001&AccountSid=AC00000000000000000000000000000001&From=%2B15550100002&ApiVersion=2010-04-01"
	benchFormSignature = "XW3TNUOLyVXE4mPmnL4FCtF8Zhk="
)

// BenchmarkGateForm is one SMS verified, claimed and normalized.
func BenchmarkGateForm(b *testing.B) {
	gate, err := core.New(core.Config{Provider: "twilio", Secrets: []string{benchSecret}, PublicURL: "https://example.com"})
	if err != nil {
		b.Fatal(err)
	}
	benchGate(b, gate, "/hooks/twilio", header{
		"Content-Type":       {"application/x-www-form-urlencoded; charset=UTF-8"},
		"X-Twilio-Signature": {benchFormSignature},
	}, []byte(benchForm))
}

func benchGate(b *testing.B, gate *core.Gate, target string, fields header, body []byte) {
	b.Helper()
	now := time.Date(2026, 1, 15, 10, 30, 0, 123e6, time.UTC)
	client := netip.MustParseAddr("203.0.113.7")
	states := []core.State{core.Claimed}
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		check, v := gate.Begin(now, core.Head{
			Method: "POST", Scheme: "https", Host: "example.com", Target: target,
			Client: client, Header: fields, ContentLength: int64(len(body)),
		})
		if v == nil {
			v = check.Body(body, core.BodyComplete)
		}
		if v == nil {
			v = check.Claimed(states)
		}
		if v.Kind != core.Forward {
			b.Fatal(v.Code)
		}
	}
}

func BenchmarkHMAC(b *testing.B) {
	body := []byte(benchBody)
	var sum [sha256.Size]byte
	b.ReportAllocs()
	for b.Loop() {
		m := hmac.New(sha256.New, []byte(benchSecret))
		m.Write(body)
		m.Sum(sum[:0])
	}
}

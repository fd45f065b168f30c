// Package sign makes genuine deliveries of the seed providers, signed as their
// documentation says by code that shares nothing with the core: a mistake there
// is not repeated here. Every delivery has fresh ids and the time of its making.
package sign

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"
)

// Delivery is one HTTP request of a provider's.
type Delivery struct {
	Method, Target string
	Header         http.Header
	Body           string
	// Private are texts that may stand in no log: what the message says, who
	// sent it, the signature.
	Private []string
}

// Providers are all that New knows.
var Providers = []string{"meta", "twilio", "telegram", "africastalking", "x", "zavu", "twabot", "vobiz"}

// New is a provider's delivery of one message, to be sent to target. The origin
// (scheme, host and port) is what the provider was configured with; only Twilio
// signs it.
func New(provider, secret, origin, target string) Delivery {
	id, now := fresh(), time.Now().UTC()
	text := "hello " + id
	d := Delivery{
		Method: "POST", Target: target, Header: http.Header{"Content-Type": {"application/json"}},
		Private: []string{text, "15550123", secret},
	}
	switch provider {
	case "meta":
		d.Body = fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{"messaging_product":"whatsapp",`+
			`"metadata":{"display_phone_number":"15550100","phone_number_id":"7"},"contacts":[{"profile":{"name":"A"},"wa_id":"15550123"}],`+
			`"messages":[{"from":"15550123","id":"wamid.%s","timestamp":"%d","type":"text","text":{"body":"%s"}}]}}]}]}`, id, now.Unix(), text)
	case "telegram":
		d.Body = fmt.Sprintf(`{"update_id":%d,"message":{"message_id":1,"date":%d,"from":{"id":15550123,"is_bot":false,"first_name":"A"},`+
			`"chat":{"id":15550123,"type":"private"},"text":"%s"}}`, now.UnixNano(), now.Unix(), text)
	case "x":
		d.Body = fmt.Sprintf(`{"for_user_id":"7","direct_message_events":[{"type":"message_create","id":"%d","created_timestamp":"%d",`+
			`"message_create":{"target":{"recipient_id":"7"},"sender_id":"15550123","message_data":{"text":"%s"}}}]}`, now.UnixNano(), now.UnixMilli(), text)
	case "zavu":
		d.Body = fmt.Sprintf(`{"id":"evt_%s","type":"message.inbound","timestamp":%d,"senderId":"s1","projectId":"p1",`+
			`"data":{"messageId":"m_%s","from":"+15550123","to":"+15550100","channel":"whatsapp","messageType":"text","text":"%s"}}`, id, now.UnixMilli(), id, text)
	case "twabot":
		d.Body = fmt.Sprintf(`{"event":"message.received","timestamp":"%s","data":{"message_id":"wamid.%s","from":"15550123","from_name":"A",`+
			`"type":"text","text":"%s","conversation_id":1,"business_id":2}}`, now.Format(time.RFC3339), id, text)
	case "vobiz":
		d.Body = fmt.Sprintf(`{"id":"evt_%s","type":"message.received","timestamp":"%s","data":{"from":"15550123","message_id":"m_%s","text":"%s"}}`,
			id, now.Format(time.RFC3339), id, text)
	case "twilio":
		d.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		d.Body = url.Values{"MessageSid": {"SM" + id}, "AccountSid": {"AC1"}, "From": {"+15550123"}, "To": {"+15550100"}, "Body": {text}, "NumMedia": {"0"}}.Encode()
	case "africastalking":
		d.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		d.Body = url.Values{"id": {id}, "from": {"+15550123"}, "to": {"12345"}, "text": {text}, "date": {now.Format(time.RFC3339)}}.Encode()
	default:
		panic("unknown provider " + provider)
	}
	d.Sign(provider, secret, origin)
	return d
}

// Sign sets the provider's signature or token for the delivery as it is now.
func (d *Delivery) Sign(provider, secret, origin string) {
	body := []byte(d.Body)
	set := func(name, value string) {
		d.Header.Set(name, value)
		d.Private = append(d.Private, value)
	}
	switch provider {
	case "meta":
		set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(hmacSHA256(secret, body)))
	case "telegram":
		set("X-Telegram-Bot-Api-Secret-Token", secret)
	case "x":
		set("x-twitter-webhooks-signature", "sha256="+base64.StdEncoding.EncodeToString(hmacSHA256(secret, body)))
	case "zavu":
		set("X-Zavu-Signature", "sha256="+hex.EncodeToString(hmacSHA256(secret, body)))
	case "twabot":
		set("X-TwaBot-Signature", hex.EncodeToString(hmacSHA256(secret, body)))
	case "vobiz":
		set("X-Vobiz-Signature", hex.EncodeToString(hmacSHA256(secret, body)))
	case "africastalking":
		set("X-API-Key", secret)
	case "twilio":
		set("X-Twilio-Signature", Twilio(secret, origin+d.Target, d.Body))
	}
}

// Twilio is X-Twilio-Signature: the URL, then each parameter of the form in the
// order of the names, name and value run together.
// https://www.twilio.com/docs/usage/webhooks/webhooks-security
func Twilio(token, fullURL, form string) string {
	parameters, err := url.ParseQuery(form)
	if err != nil {
		panic(err)
	}
	var names []string
	for name := range parameters {
		names = append(names, name)
	}
	sort.Strings(names)
	var text strings.Builder
	text.WriteString(fullURL)
	for _, name := range names {
		last := ""
		values := append([]string(nil), parameters[name]...)
		sort.Strings(values)
		for i, value := range values {
			if i == 0 || value != last {
				text.WriteString(name + value)
			}
			last = value
		}
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(text.String()))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func hmacSHA256(secret string, message []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(message)
	return mac.Sum(nil)
}

// fresh is an id that nothing had before.
func fresh() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

package load

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// whatsApp is a text message of 532 bytes with a number in its id.
const whatsApp = `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Sheena Nelson"},"wa_id":"16505551234"}],"messages":[{"from":"16505551234","id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFF%012d","timestamp":"1749416383","type":"text","text":{"body":"Does it come in another color? I would like to order two of them, please."}}]},"field":"messages"}]}]}`

// WhatsApp prepares n new messages, signed with the app secret, numbered from
// first.
func WhatsApp(path, secret string, first, n int) [][]byte {
	requests := make([][]byte, n)
	for i := range requests {
		body := fmt.Appendf(nil, whatsApp, first+i)
		m := hmac.New(sha256.New, []byte(secret))
		m.Write(body)
		head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: facebookexternalua\r\nAccept: */*\r\nContent-Type: application/json\r\nX-Hub-Signature-256: sha256=%s\r\nContent-Length: %d\r\n\r\n",
			path, hex.EncodeToString(m.Sum(nil)), len(body))
		requests[i] = append([]byte(head), body...)
	}
	return requests
}

package jsondoc_test

import (
	"testing"

	"github.com/hookward/hookward/core/internal/jsondoc"
)

// benchBody is the WhatsApp text message of 532 bytes of the core's benchmark.
const benchBody = `{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"106540352242922"},"contacts":[{"profile":{"name":"Sheena Nelson"},"wa_id":"16505551234"}],"messages":[{"from":"16505551234","id":"wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA=","timestamp":"1749416383","type":"text","text":{"body":"Does it come in another color? I would like to order two of them, please."}}]},"field":"messages"}]}]}`

func BenchmarkParse(b *testing.B) {
	var d jsondoc.Doc
	b.SetBytes(int64(len(benchBody)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Parse(benchBody); err != nil {
			b.Fatal(err)
		}
	}
}

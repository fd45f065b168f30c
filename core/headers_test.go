package core

import (
	"net/http"
	"testing"

	"github.com/hookward/hookward/core/provider"
)

// Hosts look names up, set and remove them as they are.
func TestHeaderNamesAreCanonical(t *testing.T) {
	names := []string{
		headerVersion, headerEndpoint, headerProvider, headerDelivery, headerEvent, headerAssurance, headerReplay, headerWouldReject,
		headerWebhookID, headerWebhookTimestamp, headerWebhookSignature,
	}
	for _, p := range provider.All() {
		names = append(names, (&Gate{provider: p}).removed()...)
	}
	for _, name := range names {
		if want := http.CanonicalHeaderKey(name); name != want {
			t.Errorf("%q: write it as %q", name, want)
		}
	}
}

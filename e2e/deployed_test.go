package e2e

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/examples/xds/valid"
)

// gateDeployed starts an Envoy that an example has configured, and sends it what
// each of the example's settings is there for.
func gateDeployed(t *testing.T, backend *hosts.Backend, bootstrap *bootstrapv3.Bootstrap) {
	for name, value := range map[string]string{
		"META_APP_SECRET": "the new one", "META_APP_SECRET_OLD": "the old one", "META_VERIFY_TOKEN": "verify", "TWILIO_AUTH_TOKEN": "token",
	} {
		t.Setenv(name, value)
	}
	if err := valid.Check(bootstrap); err != nil {
		t.Fatal(err)
	}
	text, err := protojson.Marshal(bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	envoy := hosts.StartEnvoy(t, hosts.NewestEnvoy(t), json.RawMessage(text), "--concurrency", "1")
	gate := hooksURL(t, envoy, "")
	for _, test := range []struct {
		name         string
		method, path string
		body         string
		header, sign string
		status       int
		endpoint     string // the backend gets it
	}{
		{"genuine", "POST", "/hooks/meta", whatsAppText("1", "hi"), "X-Hub-Signature-256", "the new one", 200, "meta"},
		{"by the old secret", "POST", "/hooks/meta", whatsAppText("2", "hi"), "X-Hub-Signature-256", "the old one", 200, "meta"},
		{"larger than other people's buffers", "POST", "/hooks/meta", whatsAppText("3", strings.Repeat("hi ", 50_000)), "X-Hub-Signature-256", "the new one", 200, "meta"},
		{"forged", "POST", "/hooks/meta", whatsAppText("4", "hi"), "X-Hub-Signature-256", "another", 401, ""},
		{"unsigned, spelled otherwise", "POST", "//hooks/./Meta", whatsAppText("5", "hi"), "X-Other", "", 401, ""},
		{"escaped slash", "POST", "/hooks%2fmeta", whatsAppText("6", "hi"), "X-Other", "", 400, ""},
		{"handshake", "GET", "/hooks/meta?hub.mode=subscribe&hub.verify_token=verify&hub.challenge=1", "", "X-Other", "", 200, ""},
		{"by GET", "GET", "/hooks/twilio?MessageSid=SM1&AccountSid=AC1&From=%2B1555&To=%2B1556&Body=hi", "", "X-Twilio-Signature", "token", 200, "twilio"},
	} {
		req, err := http.NewRequest(test.method, gate+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(test.header, signature(test.header, test.sign, test.path, test.body))
		req.Header.Set("X-Hookward-Endpoint", "forged")
		if status := answerTo(t, req); status != test.status {
			t.Errorf("%s: answered %d, want %d", test.name, status, test.status)
		}
		seen := backend.Take()
		if got := endpoints(seen); got != test.endpoint {
			t.Errorf("%s: the backend got %q, want %q", test.name, got, test.endpoint)
		}
		if test.name == "by GET" && len(seen) == 1 && (seen[0].Method != "POST" || !strings.Contains(string(seen[0].Body), `"message":"hi"`)) {
			t.Errorf("%s: the backend got %s %s", test.name, seen[0].Method, seen[0].Body)
		}
	}
	waitForMetric(t, envoy, `hookward_deliveries_total{`, `name="meta"`, `code="signature_mismatch"`)
}

func whatsAppText(id, text string) string {
	return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","phone_number_id":"1"},"messages":[{"from":"16505551234","id":"wamid.%s","timestamp":"1749416383","type":"text","text":{"body":%q}}]},"field":"messages"}]}]}`, id, text)
}

func signature(header, secret, path, body string) string {
	if header == "X-Twilio-Signature" {
		mac := hmac.New(sha1.New, []byte(secret))
		mac.Write([]byte("https://hooks.example.com" + path))
		return base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func answerTo(t *testing.T, req *http.Request) int {
	t.Helper()
	client := http.Client{Timeout: patience}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// endpoints are those that the gate names in what has reached the backend.
func endpoints(seen []hosts.Seen) string {
	var names []string
	for _, s := range seen {
		names = append(names, s.Header.Get("X-Hookward-Endpoint"))
	}
	return strings.Join(names, ",")
}

// waitForMetric waits for a line of the metrics that has all the parts.
func waitForMetric(t *testing.T, envoy *hosts.Envoy, parts ...string) {
	t.Helper()
	eventually(t, fmt.Sprintf("a metric with %q", parts), func() bool {
		for line := range strings.Lines(envoy.Get("/stats/prometheus")) {
			if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(line, part) }) {
				return true
			}
		}
		return false
	})
}

package hosts

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// neverLogged are what the deliveries of packages sign and load say, who sends
// them, their events' ids and signatures, and the secrets of tests.
var neverLogged = regexp.MustCompile(`hello [0-9a-f]{32}|another color|\b(15550123|15550100|15550783881|16505551234)\b|wamid\.|sha256=[0-9A-Za-z+/]{40}|an-invented-secret|s3cr3t`)

// keepsPrivate stops Envoy and looks into all that it has printed, and into its
// metrics, for what may stand in neither: the secrets in its bootstrap, and what
// is never logged.
func (e *Envoy) keepsPrivate(t testing.TB, bootstrap []byte) {
	text := e.Get("/stats/prometheus")
	e.Stop()
	text += e.Output()
	var config any
	_ = json.Unmarshal(bootstrap, &config) // no JSON is an example's YAML, which holds none
	if found := neverLogged.FindString(text); found != "" {
		t.Errorf("a log line or metric of Envoy's holds %q", found)
	}
	for _, secret := range secretsIn(config) {
		if strings.Contains(text, secret) {
			t.Errorf("a log line or metric of Envoy's holds the secret %q", secret)
		}
	}
}

// secretsIn are the literal secrets of the filter's configurations in a
// bootstrap, wherever they lie.
func secretsIn(bootstrap any) (found []string) {
	switch v := bootstrap.(type) {
	case map[string]any:
		for key, value := range v {
			switch key {
			case "secrets", "verify_token", "sign_with", "token", "key_values":
				found = append(found, longTexts(value)...)
			case "value":
				var config any
				if text, _ := value.(string); json.Unmarshal([]byte(text), &config) == nil {
					found = append(found, secretsIn(config)...)
				}
			default:
				found = append(found, secretsIn(value)...)
			}
		}
	case []any:
		for _, value := range v {
			found = append(found, secretsIn(value)...)
		}
	}
	return found
}

// longTexts are the texts in v that nothing else holds by chance, unless they
// only name a variable.
func longTexts(v any) (texts []string) {
	switch v := v.(type) {
	case string:
		if len(v) >= 8 && !strings.HasPrefix(v, "{") {
			return []string{v}
		}
	case []any:
		for _, value := range v {
			texts = append(texts, longTexts(value)...)
		}
	case map[string]any:
		for _, value := range v {
			texts = append(texts, longTexts(value)...)
		}
	}
	return texts
}

package e2e

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/e2e/hosts"
)

// TestEnvoyCases runs the core's cases through a real Envoy: each case has a
// listener of its own in one Envoy, which logs every delivery.
func TestEnvoyCases(t *testing.T) {
	module := hosts.BuildWasm(t, "./envoy-wasm")
	eachEnvoy(t, func(t *testing.T, binary string) {
		backend := hosts.StartBackend(t)
		all := hosted(t)
		var listeners []object
		for i := range all {
			filter := hosts.Filter{Module: module, Config: envoyConfig(t, i, &all[i]), Name: caseName(i), HoldsHeaders: true}
			listeners = append(listeners, hosts.Listener(caseName(i), "backend", fill, filter.JSON()))
		}
		envoy := hosts.StartEnvoy(t, binary, hosts.Bootstrap(listeners, hosts.Cluster("backend", backend.Address)),
			"--concurrency", "1", "--component-log-level", "wasm:debug")
		addresses := envoy.Addresses(t)
		runCases(t, func(i int) string { return addresses[caseName(i)] }, backend, all)
		log := envoy.Output()
		if n := strings.Count(log, "webhook accepted"); n < len(all)/4 {
			t.Errorf("only %d deliveries are in the log", n)
		}
		for _, text := range private(t, all) {
			if strings.Contains(log, text) {
				t.Errorf("the log holds %q", text)
			}
		}
	})
}

// private are the numbers, names and words of the cases' events, as far as
// nothing else holds them by chance.
func private(t *testing.T, all []cases.Case) (texts []string) {
	t.Helper()
	const long = 8
	for _, c := range all {
		for _, s := range c.Steps {
			if s.Want.Forward == nil {
				continue
			}
			var delivery struct {
				Events []struct{ ID, SenderID, RecipientID, ConversationID, Message string }
			}
			_ = json.Unmarshal(s.Want.Forward.Bytes(), &delivery) // no JSON is the original
			for _, e := range delivery.Events {
				for _, text := range []string{e.ID, e.SenderID, e.RecipientID, e.ConversationID, e.Message} {
					if len(text) >= long && text != "https://example.com" { // which the log names as the URL tried
						texts = append(texts, strings.Trim(strconv.Quote(text), `"`))
					}
				}
			}
		}
	}
	if len(texts) < 500 {
		t.Fatalf("only %d private texts", len(texts))
	}
	return texts
}

// eachEnvoy runs a test in every installed version of Envoy.
func eachEnvoy(t *testing.T, test func(t *testing.T, binary string)) {
	for version, binary := range hosts.Envoys(t) {
		t.Run(version, func(t *testing.T) { test(t, binary) })
	}
}

// envoyConfig is the filter's configuration with the case's gate at every path.
func envoyConfig(t *testing.T, i int, c *cases.Case) string {
	t.Helper()
	gate := gateOf(t, i, c)
	gate["path"] = "/*"
	return toJSON(t, object{"routes": []any{gate}})
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// fill is the Lua filter that gives a body to requests without one, as
// examples/envoy has it.
var fill = lua(`
function envoy_on_request(handle)
  local header = handle:headers()
  if header:get(":method") == "GET" or header:get("content-length") == "0" then
    local body = handle:body(true)
    if body:length() == 0 then body:setBytes(" ") end
  end
end`)

// lua is a Lua filter of Envoy's.
func lua(code string) object {
	return object{
		"name": "envoy.filters.http.lua",
		"typed_config": object{
			"@type":               "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
			"default_source_code": object{"inline_string": code},
		},
	}
}

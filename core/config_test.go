package core_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/unified"
)

// meta is a configuration without mistakes, save for its end.
const meta = `{"provider":"meta","secrets":["hunter2-hunter2"]`

// load reads a configuration; what does not begin with a brace are further
// members of meta's.
func load(text string) (*core.Gate, error) {
	config, err := core.ParseConfig([]byte(whole(text)))
	if err != nil {
		return nil, err
	}
	return core.New(config)
}

func whole(text string) string {
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return text
	}
	return meta + "," + text + "}"
}

// mistakes are configurations and what is said of them, word for word, a line
// for each mistake. KNOWN and TYPES stand for the lists of providers and types.
var mistakes = []struct{ about, config, want string }{
	{"nothing", `{}`, "provider: is missing: name who sends (known: KNOWN)\nsecrets: at least one secret is needed: an endpoint without one would accept everybody"},
	{"no object", `[1]`, `configuration: must be an object, not a list`},
	{"no JSON", `{"provider":meta}`, `reading configuration: no JSON value at byte 12`},
	{"no end", `{"provider":"meta"`, `reading configuration: text ends early at byte 18`},
	{"no UTF-8", "{\"secrets\":[\"hunter2\xff\"]}", `reading configuration: it is not UTF-8`},
	{"two objects", meta + `} {}`, `reading configuration: text after the value at byte 50`},

	{"an unknown key", `"secret":"hunter2"`, `secret: unknown key (known: provider, name, secrets, verify_token, public_url, output, events, max_body, allow_ips, rate_limit, max_age, sign_with, report_only, replay)`},
	{"a key in capitals", `"Name":"a"`, `Name: unknown key (known: provider, name, secrets, verify_token, public_url, output, events, max_body, allow_ips, rate_limit, max_age, sign_with, report_only, replay)`},
	{"an unknown key of replay", `"replay":{"ttl":"1h"}`, `replay.ttl: unknown key (known: window, lease, on_error, store)`},
	{"a key twice", `"secrets":["hunter3"]`, `secrets: stands twice: remove one`},
	{"a key of replay twice", `"replay":{"lease":"1s","lease":"2s"}`, `replay.lease: stands twice: remove one`},

	{"a number for text", `"name":1`, `name: must be a string, not a number`},
	{"null for text", `"public_url":null`, `public_url: must be a string, not null`},
	{"true for text", `"output":true`, `output: must be a string, not true or false`},
	{"a string for a list", `"verify_token":"hunter2"`, `verify_token: must be a list of strings, not a string`},
	{"a number in a list", `"events":["message.*",1]`, `events[1]: must be a string, not a number`},
	{"a list for a size", `"max_body":[1]`, `max_body: must be a size such as "1MiB" or a number of bytes, not a list`},
	{"text for a flag", `"report_only":"yes"`, `report_only: must be true or false, not a string`},
	{"a word for replay", `"replay":"on"`, `replay: unknown word "on" (known: "off", or an object)`},
	{"false for replay", `"replay":false`, `replay: must be an object or "off", not true or false`},
	{"text for a store", `"replay":{"store":"redis"}`, `replay.store: must be an object, not a string`},
	{"an object for a secret", `{"provider":"meta","secrets":[{"env":"hunter2"}]}`, `secrets[0]: must be a string, not an object`},

	{"an unknown provider", `{"provider":"Meta","secrets":["hunter2"]}`, `provider: unknown provider "Meta" (known: KNOWN)`},
	{"no secret", `{"provider":"meta"}`, `secrets: at least one secret is needed: an endpoint without one would accept everybody`},
	{"an empty list of secrets", `{"provider":"meta","secrets":[]}`, `secrets: at least one secret is needed: an endpoint without one would accept everybody`},
	{"an empty secret", `{"provider":"meta","secrets":["hunter2",""]}`, `secrets[1]: is empty: set the variable or file that it is read from`},
	{"a secret of a newline", `{"provider":"meta","secrets":["\r\n"]}`, `secrets[0]: is empty: set the variable or file that it is read from`},
	{"a secret of blanks", `{"provider":"meta","secrets":[" \t "]}`, `secrets[0]: is empty: set the variable or file that it is read from`},
	{"a variable that nothing replaced", `{"provider":"meta","secrets":["{env.HUNTER2}"]}`, `secrets[0]: is a placeholder that nothing has replaced: set the variable or file that it names`},
	{"a file that nothing replaced", `{"provider":"meta","secrets":["{file./hunter2}\n"]}`, `secrets[0]: is a placeholder that nothing has replaced: set the variable or file that it names`},
	{"a Caddyfile variable that nothing replaced", `{"provider":"meta","secrets":["{$HUNTER2}"]}`, `secrets[0]: is a placeholder that nothing has replaced: set the variable or file that it names`},
	{"a variable as in a shell", `{"provider":"meta","secrets":["$HUNTER_2"]}`, `secrets[0]: is the name of a variable or file, and not what is in it: write it as {env.NAME}, or in Caddy {file./path}`},
	{"a variable without braces", `{"provider":"meta","secrets":["env.HUNTER_2"]}`, `secrets[0]: is the name of a variable or file, and not what is in it: write it as {env.NAME}, or in Caddy {file./path}`},
	{"a file without braces", `{"provider":"meta","secrets":["file./run/hunter2"]}`, `secrets[0]: is the name of a variable or file, and not what is in it: write it as {env.NAME}, or in Caddy {file./path}`},
	{"five secrets", `{"provider":"meta","secrets":["hunter2","hunter3","hunter4","hunter5","hunter6"]}`, `secrets: has 5 entries, at most 4 can be good at once: remove the old ones`},
	{"an empty list of verify tokens", `"verify_token":[]`, `verify_token: is empty: give one, or leave the key out`},
	{"an empty verify token", `"verify_token":[""]`, `verify_token[0]: is empty: set the variable or file that it is read from`},
	{"five verify tokens", `"verify_token":["1","2","3","4","5"]`, `verify_token: has 5 entries, at most 4 can be good at once: remove the old ones`},
	{"a verify token where none is asked", `{"provider":"telegram","secrets":["hunter2"],"verify_token":["hunter2"]}`, `verify_token: telegram has no handshake with a verify token: remove it`},

	{"a name of 129 characters", `"name":"` + strings.Repeat("n", 129) + `"`, `name: "` + strings.Repeat("n", 129) + `": up to 128 printable ASCII characters are wanted, without ; and = and without a space at either end`},
	{"a name with a newline", `"name":"a\nb"`, `name: "a\nb": up to 128 printable ASCII characters are wanted, without ; and = and without a space at either end`},
	{"a name with a letter beyond ASCII", `"name":"é"`, `name: "é": up to 128 printable ASCII characters are wanted, without ; and = and without a space at either end`},
	{"a name with a semicolon", `"name":"a;b"`, `name: "a;b": up to 128 printable ASCII characters are wanted, without ; and = and without a space at either end`},
	{"a name with an equals sign", `"name":"a=b"`, `name: "a=b": up to 128 printable ASCII characters are wanted, without ; and = and without a space at either end`},
	{"a name that ends in a space", `"name":"a "`, `name: "a ": up to 128 printable ASCII characters are wanted, without ; and = and without a space at either end`},

	{"a URL without a scheme", `"public_url":"example.com"`, `public_url: "example.com" must be the URL that meta was given, up to the path, such as https://example.com`},
	{"a URL with another scheme", `"public_url":"ftp://example.com"`, `public_url: "ftp://example.com" must be the URL that meta was given, up to the path, such as https://example.com`},
	{"a URL without slashes", `"public_url":"https:example.com"`, `public_url: "https:example.com" must be the URL that meta was given, up to the path, such as https://example.com`},
	{"a URL without a host", `"public_url":"https://:443"`, `public_url: "https://:443" must be the URL that meta was given, up to the path, such as https://example.com`},
	{"a URL with a bad port", `"public_url":"https://example.com:https"`, `public_url: "https://example.com:https" must be the URL that meta was given, up to the path, such as https://example.com`},
	{"a URL with a password", `"public_url":"ftp://u:hunter2@example.com"`, `public_url: must be the URL that meta was given, up to the path, such as https://example.com`},
	{"a URL that nothing replaced", `"public_url":"{env.URL}"`, `public_url: "{env.URL}" must be the URL that meta was given, up to the path, such as https://example.com`},
	{"a URL with a query", `"public_url":"https://example.com/?a=b"`, `public_url: "https://example.com/?a=b" must end before the query: it is scheme, host and port, and a path prefix that a proxy before this one strips`},
	{"a URL with a question mark", `"public_url":"https://example.com?"`, `public_url: "https://example.com?" must end before the query: it is scheme, host and port, and a path prefix that a proxy before this one strips`},
	{"a URL with a hash", `"public_url":"https://example.com#"`, `public_url: "https://example.com#" must end before the query: it is scheme, host and port, and a path prefix that a proxy before this one strips`},

	{"an unknown output", `"output":"raw"`, `output: unknown output "raw" (known: OUTPUTS)`},
	{"an empty list of events", `"events":[]`, `events: is empty: name the types to forward, or leave the key out to forward all`},
	{"an empty event", `"events":["message.*",""]`, `events[1]: "" is no event type: write one as "message.received", or a prefix as "message.*"`},
	{"a star in the middle", `"events":["*.received"]`, `events[0]: "*.received" is no event type: write one as "message.received", or a prefix as "message.*"`},
	{"two stars", `"events":["message.**"]`, `events[0]: "message.**" is no event type: write one as "message.received", or a prefix as "message.*"`},
	{"an event misspelt", `"events":["message.recieved"]`, `events[0]: "message.recieved" matches no event type (known: TYPES, meta.*)`},
	{"a prefix misspelt", `"events":["mesage.*"]`, `events[0]: "mesage.*" matches no event type (known: TYPES, meta.*)`},
	{"another provider's event", `"events":["telegram.poll"]`, `events[0]: "telegram.poll" matches no event type (known: TYPES, meta.*)`},

	{"a size without a number", `"max_body":"MiB"`, `max_body: "MiB": a size from 1B to 1GiB is wanted, such as 1MiB`},
	{"a size in an unknown unit", `"max_body":"1TiB"`, `max_body: "1TiB": a size from 1B to 1GiB is wanted, such as 1MiB`},
	{"a size of nothing", `"max_body":0`, `max_body: "0": a size from 1B to 1GiB is wanted, such as 1MiB`},
	{"a size of half a byte", `"max_body":"0.5B"`, `max_body: "0.5B": a size from 1B to 1GiB is wanted, such as 1MiB`},
	{"a negative size", `"max_body":-1`, `max_body: "-1": a size from 1B to 1GiB is wanted, such as 1MiB`},
	{"a size over the limit", `"max_body":1073741825`, `max_body: "1073741825": a size from 1B to 1GiB is wanted, such as 1MiB`},
	{"a size beyond all numbers", `"max_body":"99999999999999999999GiB"`, `max_body: "99999999999999999999GiB": a size from 1B to 1GiB is wanted, such as 1MiB`},

	{"an empty list of clients", `"allow_ips":[]`, `allow_ips: is empty: nobody could send; name clients, or leave the key out to allow all`},
	{"a host name for a client", `"allow_ips":["192.0.2.1","example.com"]`, `allow_ips[1]: "example.com" is neither an address, nor a CIDR, nor private_ranges`},
	{"a prefix that is too long", `"allow_ips":["192.0.2.0/33"]`, `allow_ips[0]: "192.0.2.0/33" is neither an address, nor a CIDR, nor private_ranges`},
	{"a range in another form", `"allow_ips":["192.0.2.1-192.0.2.9"]`, `allow_ips[0]: "192.0.2.1-192.0.2.9" is neither an address, nor a CIDR, nor private_ranges`},
	{"an address with zeros before", `"allow_ips":["192.0.02.1"]`, `allow_ips[0]: "192.0.02.1" is neither an address, nor a CIDR, nor private_ranges`},
	{"a mapped prefix wider than IPv4", `"allow_ips":["::ffff:0:0/95"]`, `allow_ips[0]: "::ffff:0:0/95" is neither an address, nor a CIDR, nor private_ranges`},
	{"an empty client", `"allow_ips":[""]`, `allow_ips[0]: "" is neither an address, nor a CIDR, nor private_ranges`},

	{"a rate without a unit", `"rate_limit":"10"`, `rate_limit: "10": "<n>/s" is wanted, or "<n>/s <burst>", with numbers from 0.001 to 1000000`},
	{"a rate in another unit", `"rate_limit":"10/m"`, `rate_limit: "10/m": "<n>/s" is wanted, or "<n>/s <burst>", with numbers from 0.001 to 1000000`},
	{"a rate of nothing", `"rate_limit":"0/s"`, `rate_limit: "0/s": "<n>/s" is wanted, or "<n>/s <burst>", with numbers from 0.001 to 1000000`},
	{"a rate too small", `"rate_limit":"0.0009/s"`, `rate_limit: "0.0009/s": "<n>/s" is wanted, or "<n>/s <burst>", with numbers from 0.001 to 1000000`},
	{"a rate too large", `"rate_limit":"1000001/s"`, `rate_limit: "1000001/s": "<n>/s" is wanted, or "<n>/s <burst>", with numbers from 0.001 to 1000000`},
	{"a rate that is no number", `"rate_limit":"NaN/s"`, `rate_limit: "NaN/s": "<n>/s" is wanted, or "<n>/s <burst>", with numbers from 0.001 to 1000000`},
	{"a burst of nothing", `"rate_limit":"1/s 0"`, `rate_limit: "1/s 0": "<n>/s" is wanted, or "<n>/s <burst>", with numbers from 0.001 to 1000000`},
	{"a burst that is broken", `"rate_limit":"1/s 1.5"`, `rate_limit: "1/s 1.5": "<n>/s" is wanted, or "<n>/s <burst>", with numbers from 0.001 to 1000000`},
	{"a burst too large", `"rate_limit":"1/s 1000001"`, `rate_limit: "1/s 1000001": "<n>/s" is wanted, or "<n>/s <burst>", with numbers from 0.001 to 1000000`},
	{"two bursts", `"rate_limit":"1/s 2 3"`, `rate_limit: "1/s 2 3": "<n>/s" is wanted, or "<n>/s <burst>", with numbers from 0.001 to 1000000`},
	{"a rate of blanks", `"rate_limit":" "`, `rate_limit: " ": "<n>/s" is wanted, or "<n>/s <burst>", with numbers from 0.001 to 1000000`},

	{"an age without a unit", `"max_age":"60"`, `max_age: "60": a duration from 1s to 366d is wanted, such as 90s, 12h or 7d`},
	{"an age under a second", `"max_age":"999ms"`, `max_age: "999ms": a duration from 1s to 366d is wanted, such as 90s, 12h or 7d`},
	{"an age of more than a year", `"max_age":"367d"`, `max_age: "367d": a duration from 1s to 366d is wanted, such as 90s, 12h or 7d`},
	{"an age before now", `"max_age":"-1h"`, `max_age: "-1h": a duration from 1s to 366d is wanted, such as 90s, 12h or 7d`},
	{"days that wrap around", `"max_age":"36500d36500d36500d36500d36500d36500d"`, `max_age: "36500d36500d36500d36500d36500d36500d": a duration from 1s to 366d is wanted, such as 90s, 12h or 7d`},
	{"days without a number", `"max_age":"d"`, `max_age: "d": a duration from 1s to 366d is wanted, such as 90s, 12h or 7d`},
	{"days with two dots", `"max_age":"1.2.3d"`, `max_age: "1.2.3d": a duration from 1s to 366d is wanted, such as 90s, 12h or 7d`},
	{"an age longer than the window", `"max_age":"2h","replay":{"window":"1h"}`, `max_age: "2h" is longer than replay.window (1h), so a capture could pass again in between: shorten it or lengthen the window`},
	{"an age longer than the provider's window", `"max_age":"186h"`, `max_age: "186h" is longer than replay.window (185h), so a capture could pass again in between: shorten it or lengthen the window`},
	{"an age where nothing is signed", `{"provider":"telegram","secrets":["hunter2"],"max_age":"1h"}`, `max_age: telegram signs nothing, so the time of an event proves nothing: remove it`},

	{"a window under a minute", `"replay":{"window":"59s"}`, `replay.window: "59s": a duration from 1m to 366d is wanted, such as 90s, 12h or 7d`},
	{"a window of more than a year", `"replay":{"window":"366d1s"}`, `replay.window: "366d1s": a duration from 1m to 366d is wanted, such as 90s, 12h or 7d`},
	{"a lease under a second", `"replay":{"lease":"0s"}`, `replay.lease: "0s": a duration from 1s to 1h is wanted, such as 90s, 12h or 7d`},
	{"a lease of more than an hour", `"replay":{"lease":"1h1s"}`, `replay.lease: "1h1s": a duration from 1s to 1h is wanted, such as 90s, 12h or 7d`},
	{"an unknown on_error", `"replay":{"on_error":"ignore"}`, `replay.on_error: unknown word "ignore" (known: reject, accept)`},
	{"accept where the provider retries", `"replay":{"on_error":"accept"}`, `replay.on_error: "accept" would let duplicates through, although meta sends again what is rejected: leave it at "reject"`},

	{"an empty list of signing secrets", `"sign_with":[]`, `sign_with: is empty: give one, or leave the key out`},
	{"an empty signing secret", `"sign_with":[""]`, `sign_with[0]: is empty: set the variable or file that it is read from`},
	{"a signing secret without its prefix", `"sign_with":["aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVyMg=="]`, signWithForm(0)},
	{"a signing secret that is no base64", `"sign_with":["whsec_hunter2!hunter2!hunter2!hunter2!hunter2!"]`, signWithForm(0)},
	{"a signing secret of 23 bytes", `"sign_with":["whsec_` + strings.Repeat("MTIz", 7) + `MTI="]`, signWithForm(0)},
	{"a signing secret of 65 bytes", `"sign_with":["whsec_` + strings.Repeat("MTIz", 8) + `","whsec_` + strings.Repeat("MTIz", 21) + `MTI="]`, signWithForm(1)},
	{"three signing secrets", `"sign_with":["whsec_` + strings.Repeat("MTIz", 8) + `","whsec_` + strings.Repeat("MTIz", 9) + `","whsec_` + strings.Repeat("MTIz", 10) + `"]`, `sign_with: has 3 entries, at most 2 can be good at once: remove the old ones`},

	{"mistakes of reading, all at once", `{"provider":1,"hunter":2,"secrets":["a",null],"report_only":0}`,
		"provider: must be a string, not a number\nhunter: unknown key (known: provider, name, secrets, verify_token, public_url, output, events, max_body, allow_ips, rate_limit, max_age, sign_with, report_only, replay)\nsecrets[1]: must be a string, not null\nreport_only: must be true or false, not a number"},
	{"mistakes of meaning, all at once", `{"provider":"mela","name":"a;b","secrets":["hunter2",""],"verify_token":["hunter2"],"output":"x","events":["","hunter.*"],"max_body":"x","allow_ips":["x"],"rate_limit":"x","max_age":"2h","sign_with":["hunter2"],"replay":{"window":"x","lease":"x","on_error":"x"}}`,
		`provider: unknown provider "mela" (known: KNOWN)
name: "a;b": up to 128 printable ASCII characters are wanted, without ; and = and without a space at either end
secrets[1]: is empty: set the variable or file that it is read from
output: unknown output "x" (known: OUTPUTS)
events[0]: "" is no event type: write one as "message.received", or a prefix as "message.*"
max_body: "x": a size from 1B to 1GiB is wanted, such as 1MiB
allow_ips[0]: "x" is neither an address, nor a CIDR, nor private_ranges
rate_limit: "x": "<n>/s" is wanted, or "<n>/s <burst>", with numbers from 0.001 to 1000000
replay.window: "x": a duration from 1m to 366d is wanted, such as 90s, 12h or 7d
replay.lease: "x": a duration from 1s to 1h is wanted, such as 90s, 12h or 7d
replay.on_error: unknown word "x" (known: reject, accept)
` + signWithForm(0)},
}

func signWithForm(i int) string {
	return "sign_with[" + string(rune('0'+i)) + "]: is no Standard Webhooks secret: whsec_ and 24 to 64 random bytes in base64 are wanted, as made by: echo whsec_$(openssl rand -base64 32)"
}

// What only begins like a variable's name is a secret.
func TestSecretsLikeNames(t *testing.T) {
	for _, secret := range []string{"$", "$ecret", "$PASS word", "env.", "env.lower", "file.txt", "A$B"} {
		if _, err := core.New(core.Config{Provider: "meta", Secrets: []string{secret}}); err != nil {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

func TestConfigMistakes(t *testing.T) {
	lists := strings.NewReplacer(
		"KNOWN", strings.Join(core.Providers(), ", "),
		"TYPES", strings.Join(unified.Types[:], ", "),
		"OUTPUTS", "unified, original")
	for _, m := range mistakes {
		gate, err := load(m.config)
		if err == nil || gate != nil {
			t.Errorf("%s: %s makes a gate", m.about, m.config)
			continue
		}
		if want := lists.Replace(m.want); err.Error() != want {
			t.Errorf("%s:\n got %s\nwant %s", m.about, err, want)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error holds a secret", m.about)
		}
	}
}

func TestConfigDefaults(t *testing.T) {
	gate, err := load(meta + "}")
	if err != nil {
		t.Fatal(err)
	}
	if gate.Name() != "meta" || gate.Provider() != "meta" || gate.MaxBody() != 4<<20 || gate.ReportOnly() {
		t.Errorf("name %q, provider %q, max_body %d, report_only %t", gate.Name(), gate.Provider(), gate.MaxBody(), gate.ReportOnly())
	}
	if want := (core.Replay{Window: 185 * time.Hour, Lease: time.Minute}); gate.Replay() != want {
		t.Errorf("replay %+v, want %+v", gate.Replay(), want)
	}
}

// forms are the ways in which a setting may be written, both ends of its range,
// and what each comes to.
var forms = []struct {
	config string
	is     func(*core.Gate) any
	want   any
}{
	{`"replay":{"window":"1m"}`, window, time.Minute},
	{`"replay":{"window":"60s"}`, window, time.Minute},
	{`"replay":{"window":"366d"}`, window, 366 * 24 * time.Hour},
	{`"replay":{"window":"7d"}`, window, 7 * 24 * time.Hour},
	{`"replay":{"window":"1.5d"}`, window, 36 * time.Hour},
	{`"replay":{"window":"1d12h30m"}`, window, 36*time.Hour + 30*time.Minute},
	{`"replay":{"window":"12h1d"}`, window, 36 * time.Hour},
	{`"replay":{"window":"1d1d"}`, window, 48 * time.Hour},
	{`"replay":{"window":"0.5h.5h"}`, window, time.Hour},
	{`"replay":{"lease":"1s"}`, lease, time.Second},
	{`"replay":{"lease":"1500ms"}`, lease, 1500 * time.Millisecond},
	{`"replay":{"lease":"1h"}`, lease, time.Hour},
	{`"replay":{}`, lease, time.Minute},
	{`"replay":"off"`, off, true},
	{`"replay":{"on_error":"reject"}`, accept, false},
	{`"replay":{"store":{"module": "redis","address":["a:1"]}}`, store, `{"module": "redis","address":["a:1"]}`},

	{`"replay":{"window":"1h"},"max_age":"1h"`, window, time.Hour + 5*time.Minute},
	{`"replay":{"window":"1h"},"max_age":"55m"`, window, time.Hour},
	{`"replay":{"window":"1h"},"max_age":"off"`, window, time.Hour},

	{`"max_body":"1B"`, maxBody, int64(1)},
	{`"max_body":1`, maxBody, int64(1)},
	{`"max_body":"512"`, maxBody, int64(512)},
	{`"max_body":"1GiB"`, maxBody, int64(1 << 30)},
	{`"max_body":1073741824`, maxBody, int64(1 << 30)},
	{`"max_body":"1.5MiB"`, maxBody, int64(3 << 19)},
	{`"max_body":"2 mib"`, maxBody, int64(2 << 20)},
	{`"max_body":"1MB"`, maxBody, int64(1e6)},
	{`"max_body":"1k"`, maxBody, int64(1e3)},
	{`"max_body":"1Ki"`, maxBody, int64(1 << 10)},

	{`"name":"` + strings.Repeat("n", 128) + `"`, name, strings.Repeat("n", 128)},
	{`"name":"Shop: orders/eu <1>"`, name, "Shop: orders/eu <1>"},
	{`"name":""`, name, "meta"},

	{`"verify_token":["1","2","3","4"]`, notes, ""},
	{`"public_url":"https://example.com","verify_token":["1"]`, notes, "public_url is not used: meta does not sign the URL"},
	{`"public_url":"HTTP://u:p@[::1]:8080/prefix/","verify_token":["1"]`, notes, "public_url is not used: meta does not sign the URL"},
	{`"output":"unified"`, notes, "verify_token is not set: every handshake is denied"},
	{`"output":"original","verify_token":["1"]`, notes, ""},
	{`"events":["*"],"verify_token":["1"]`, notes, ""},
	{`"events":["message.received","message.*","call.st*","meta.*","meta.account_update","m*"],"verify_token":["1"]`, notes, ""},
	{`"allow_ips":["192.0.2.1","192.0.2.9/24","2001:db8::1","2001:db8::/32","private_ranges","::ffff:192.0.2.0/120","fe80::1%eth0"],"verify_token":["1"]`, notes, ""},
	{`"rate_limit":"0.001/s","verify_token":["1"]`, notes, ""},
	{`"rate_limit":"1000000/s 1000000","verify_token":["1"]`, notes, ""},
	{`"max_age":"1s","verify_token":["1"]`, notes, ""},
	{`"max_age":"185h","verify_token":["1"]`, notes, ""},
	{`"max_age":"off","verify_token":["1"]`, notes, ""},
	{`"sign_with":["whsec_` + strings.Repeat("MTIz", 8) + `","whsec_` + strings.Repeat("MTIz", 21) + `MQ=="],"verify_token":["1"]`, notes, ""},
	{`"report_only":false,"verify_token":["1"]`, notes, ""},
	{`"report_only":true,"verify_token":["1"]`, notes, "report_only: nothing is rejected and nothing is claimed; every request reaches the backend, with X-Hookward-Would-Reject where it would have been rejected"},
	{`"replay":"off","max_age":"366d","verify_token":["1"]`, notes, "replay is off: duplicates and captured deliveries reach the backend"},
	{`"replay":{"window":"184h59m"},"verify_token":["1"]`, notes, "replay.window 184h59m is shorter than the 185h that meta's retries need: late retries pass as new"},
	{`"replay":{"window":"185h"},"verify_token":["1"]`, notes, ""},
	{`{"provider":"meta","secrets":["a\n","b","c","d"],"verify_token":["1"]}`, notes, ""},
	{`{"provider":"meta","secrets":["{not a placeholder}"],"verify_token":["{env}"]}`, notes, ""},
	{`{"provider":"telegram","secrets":["0123456789012345678901234567890"]}`, notes, "secrets[0] is shorter than the 32 characters that are advised for a token"},
	{`{"provider":"telegram","secrets":["01234567890123456789012345678901"]}`, notes, ""},
}

func window(g *core.Gate) any  { return g.Replay().Window }
func lease(g *core.Gate) any   { return g.Replay().Lease }
func off(g *core.Gate) any     { return g.Replay().Off }
func accept(g *core.Gate) any  { return g.Replay().Accept }
func store(g *core.Gate) any   { return g.Replay().Store }
func maxBody(g *core.Gate) any { return g.MaxBody() }
func name(g *core.Gate) any    { return g.Name() }
func notes(g *core.Gate) any   { return strings.Join(g.Notes(), "\n") }

func TestConfigForms(t *testing.T) {
	for _, c := range forms {
		gate, err := load(c.config)
		if err != nil {
			t.Errorf("%s: %v", c.config, err)
			continue
		}
		if got := c.is(gate); got != c.want {
			t.Errorf("%s: %v, want %v", c.config, got, c.want)
		}
	}
}

// A configuration written as JSON reads back as it was, so that a host may keep
// it in its own.
func TestConfigReadsBack(t *testing.T) {
	for _, c := range forms {
		config, err := core.ParseConfig([]byte(whole(c.config)))
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		again, err := core.ParseConfig(data)
		compact(t, &config)
		if err != nil || !reflect.DeepEqual(again, config) {
			t.Errorf("%s reads back as %s (%v)", c.config, data, err)
		}
	}
}

// compact takes the blanks out of the store's JSON, as json.Marshal does.
func compact(t *testing.T, c *core.Config) {
	t.Helper()
	if c.Replay == nil || c.Replay.Store == "" {
		return
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(c.Replay.Store)); err != nil {
		t.Fatal(err)
	}
	c.Replay.Store = b.String()
}

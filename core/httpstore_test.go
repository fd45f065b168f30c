package core_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/core"
)

func TestHTTPStore(t *testing.T) {
	get := environment(map[string]string{"TOKEN": "s3cr3t\n", "BASIC": "user:s3cr3t", "EMPTY": "", "SPACE": "a s3cr3t"})
	for config, want := range map[string]core.HTTPStore{
		`{"module": "http", "cluster": "webdis"}`: {
			Cluster: "webdis", API: "webdis", Timeout: 50 * time.Millisecond, Prefix: "hookward:"},
		`{"module": "http", "cluster": "c", "token": "{env.BASIC}", "prefix": ""}`: {
			Cluster: "c", API: "webdis", Token: "user:s3cr3t", Timeout: 50 * time.Millisecond},
		`{"module": "http", "cluster": "eu1.upstash.io", "api": "upstash", "token": "{env.TOKEN}", "timeout": "1s", "prefix": "p/"}`: {
			Cluster: "eu1.upstash.io", API: "upstash", Token: "s3cr3t", Timeout: time.Second, Prefix: "p/"},
		`{"module": "http", "cluster": "c", "api": "upstash", "token": "plain"}`: {
			Cluster: "c", API: "upstash", Token: "plain", Timeout: 50 * time.Millisecond, Prefix: "hookward:", Literal: true},
	} {
		if got, err := core.ParseHTTPStore("store", config, get); err != nil || got != want {
			t.Errorf("%s\n got %+v, %v\nwant %+v", config, got, err, want)
		}
	}
	for config, want := range map[string][]string{
		`{`:                  {""},
		`{"module": "http"}`: {"store.cluster: is missing"},
		`{"module": "htp", "cluster": "a b", "api": "rest", "token": 1, "timeout": "31s", "prefix": "\n", "size": 1}`: {
			"store.token: must be a string", "store.size: unknown key", `store.module: unknown store "htp"`, `store.timeout: "31s"`,
			`store.api: unknown form "rest"`, `store.cluster: "a b"`, `store.prefix: "\n"`},
		`{"module": "http", "cluster": "c", "timeout": "999us"}`:                          {"store.timeout: "},
		`{"module": "http", "cluster": "c", "api": "upstash"}`:                            {"store.token: is missing"},
		`{"module": "http", "cluster": "c", "api": "upstash", "token": "{env.UNSET}"}`:    {"store.token: a placeholder"},
		`{"module": "http", "cluster": "c", "api": "upstash", "token": "{env.EMPTY}"}`:    {"store.token: a placeholder"},
		`{"module": "http", "cluster": "c", "api": "upstash", "token": "{file./s3cr3t}"}`: {"store.token: a placeholder"},
		`{"module": "http", "cluster": "c", "api": "upstash", "token": "\n"}`:             {"store.token: is empty"},
		`{"module": "http", "cluster": "c", "api": "upstash", "token": "{env.SPACE}"}`:    {"store.token: has a space"},
		`{"module": "http", "cluster": "c", "token": "s3cr3t"}`:                           {"store.token: must be user:password"},
		`{"module": "http", "cluster": "c", "cluster": "d"}`:                              {"store.cluster: stands twice"},
		`{"module": "http", "cluster": "` + strings.Repeat("c", 129) + `"}`:               {"store.cluster: "},
		`{"module": "http", "cluster": "c", "token": "{env.BASIC}", "timeout": 50}`:       {"store.timeout: must be a string"},
	} {
		_, err := core.ParseHTTPStore("store", config, get)
		if err == nil {
			t.Errorf("%s: no error", config)
			continue
		}
		if n := len(strings.Split(err.Error(), "\n")); n != len(want) {
			t.Errorf("%s: %d mistakes told, want %d:\n%v", config, n, len(want), err)
		}
		for _, want := range want {
			if !strings.Contains("\n"+err.Error(), "\n"+want) {
				t.Errorf("%s: no line begins with %q in:\n%v", config, want, err)
			}
		}
		if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: a secret is told: %v", config, err)
		}
	}
}

func TestStoreModule(t *testing.T) {
	for config, want := range map[string]string{
		"": "shared", `{"module": "http"}`: "http", `{"x": 1, "module": "shared"}`: "shared", `{}`: "", `{`: "", `{"module": 1}`: "", `[]`: "",
	} {
		if got := core.StoreModule(config); got != want {
			t.Errorf("StoreModule(%s) = %q, want %q", config, got, want)
		}
	}
}

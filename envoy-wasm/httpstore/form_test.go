package httpstore

import (
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/core"
)

func clientOf(api string) *Client {
	return New(core.HTTPStore{API: api, Cluster: "redis", Token: "user:pass", Prefix: "p:"})
}

// TestCommands reads what was written with other code, and holds it against
// what was meant.
func TestCommands(t *testing.T) {
	token, keys := core.Token{0xab}, []core.Key{{1}, {2}}
	mine, one, two := "pab"+strings.Repeat("0", 30), "p:01"+strings.Repeat("0", 30), "p:02"+strings.Repeat("0", 30)
	for _, c := range []struct {
		what string
		body func(cl *Client) []byte
		want []string
	}{
		{"claim", func(cl *Client) []byte { return cl.AppendClaim(nil, token, keys, 1500*time.Microsecond) },
			[]string{"EVAL", claimScript, "2", one, two, mine, "2"}},
		{"settle", func(cl *Client) []byte {
			return cl.AppendSettle(nil, token, []Settlement{{Op: Commit, Token: token, Key: keys[0], Time: time.Hour}, {Op: Release, Token: token, Key: keys[1]}})
		}, []string{"EVAL", settleScript, "2", one, two, "c", mine, "3600000", "r", mine, "1", mine}},
		{"nothing", func(cl *Client) []byte { return cl.AppendSettle(nil, token, nil) }, []string{"EVAL", settleScript, "0", mine}},
	} {
		var viaUpstash, viaWebdis []string
		if err := json.Unmarshal(c.body(clientOf("upstash")), &viaUpstash); err != nil || !slices.Equal(viaUpstash, c.want) {
			t.Errorf("%s for upstash: %v\n got %q\nwant %q", c.what, err, viaUpstash, c.want)
		}
		for word := range strings.SplitSeq(string(c.body(clientOf("webdis"))), "/") {
			text, err := url.PathUnescape(word)
			if err != nil {
				t.Error(err)
			}
			viaWebdis = append(viaWebdis, text)
		}
		if !slices.Equal(viaWebdis, c.want) {
			t.Errorf("%s for webdis\n got %q\nwant %q", c.what, viaWebdis, c.want)
		}
	}
}

func TestHeader(t *testing.T) {
	for api, want := range map[string]string{"webdis": "Basic dXNlcjpwYXNz", "upstash": "Bearer user:pass"} {
		if got := clientOf(api).Header(); got[len(got)-1] != [2]string{"authorization", want} || got[2] != [2]string{":authority", "redis"} {
			t.Errorf("%s: header = %q", api, got)
		}
	}
}

// TestAnswers: what is not clearly an answer to this call, and to all its keys,
// claims none. For @ stands the call's name.
func TestAnswers(t *testing.T) {
	const c, p, d, u = core.Claimed, core.Pending, core.Done, core.Unknown
	call, other := core.Token{1}, core.Token{2}
	named := func(body string) []byte { return []byte(strings.ReplaceAll(body, "@", pending(&call))) }
	for _, a := range []struct {
		api, status, body string
		want              []core.State
		err               error
	}{
		{"webdis", "200", `{"EVAL":"@cpdx"}`, []core.State{c, p, d, u}, nil},
		{"upstash", "200", ` { "result" : "@cpdx" }` + "\n", []core.State{c, p, d, u}, nil},
		{"webdis", "200", `{"EVAL":"@"}`, []core.State{}, nil},
		{"webdis", "200", `{"EVAL":"@ccc"}`, []core.State{u, u}, ErrUnreadable},
		{"webdis", "200", `{"EVAL":"@c"}`, []core.State{u, u}, ErrUnreadable},
		{"webdis", "200", `{"EVAL":"@c?"}`, []core.State{u, u}, errTorn},
		{"webdis", "200", `{"EVAL":"c"}`, []core.State{u}, ErrUnreadable},
		{"webdis", "200", `{"EVAL":"` + pending(&other) + `c"}`, []core.State{u}, ErrMixedUp},
		{"upstash", "200", `{"result":"` + pending(&other) + `cd"}`, []core.State{u}, ErrMixedUp},
		{"webdis", "200", `{"EVAL":null}`, []core.State{u}, ErrUnreadable},
		{"webdis", "200", `{"EVAL":["@c"]}`, []core.State{u}, ErrUnreadable},
		{"webdis", "200", `{"EVAL":[true,"@c"]}`, []core.State{u}, ErrUnreadable},
		{"webdis", "200", `{"EVAL":[false,"OOM command not allowed"]}`, []core.State{u}, Refused("OOM command not allowed")},
		{"webdis", "200", `{"GET":[false,"OOM"]}`, []core.State{u}, ErrUnreadable},
		{"webdis", "200", `{"result":"@c"}`, []core.State{u}, ErrUnreadable},
		{"upstash", "200", `{"EVAL":"@c"}`, []core.State{u}, ErrUnreadable},
		{"upstash", "200", `{"result":"@c","error":"x"}`, []core.State{u}, ErrUnreadable},
		{"upstash", "400", `{"error":"OOM no, command was: [\"EVAL\"]"}`, []core.State{u}, Refused("OOM no")},
		{"upstash", "401", `{"error":"Unauthorized"}`, []core.State{u}, ErrToken},
		{"webdis", "403", ``, []core.State{u}, ErrToken},
		{"webdis", "500", `{"EVAL":"@c"}`, []core.State{u}, statusError("500")},
		{"webdis", "503", ``, []core.State{u}, statusError("503")},
		{"webdis", "504", `upstream request timeout`, []core.State{u}, ErrNoAnswer},
		{"webdis", "204", `{"EVAL":"@c"}`, []core.State{u}, statusError("204")},
		{"webdis", "", `{"EVAL":"@c"}`, []core.State{u}, ErrNoAnswer},
		{"webdis", "200", `"EVAL":"@c"`, []core.State{u}, ErrUnreadable},
		{"webdis", "200", `{`, []core.State{u}, ErrUnreadable},
		{"webdis", "200", `{}`, []core.State{u}, ErrUnreadable},
		{"webdis", "200", `{"EVAL":"}`, []core.State{u}, ErrUnreadable},
		{"webdis", "200", ``, []core.State{u}, ErrUnreadable},
		{"webdis", "200", `<html>"c"</html>`, []core.State{u}, ErrUnreadable},
	} {
		got := slices.Repeat([]core.State{core.Done}, len(a.want))
		if err := clientOf(a.api).ReadClaim(call, a.status, named(a.body), got); !errors.Is(err, a.err) || !slices.Equal(got, a.want) {
			t.Errorf("%s %s %s: %v, %v, want %v, %v", a.api, a.status, a.body, got, err, a.want, a.err)
		}
	}
	for body, want := range map[string]error{
		`{"EVAL":"@"}`: nil, `{"EVAL":"@c"}`: ErrUnreadable, `{"EVAL":1}`: ErrUnreadable, `{"EVAL":"` + pending(&other) + `"}`: ErrMixedUp,
	} {
		if err := clientOf("webdis").ReadSettle(call, "200", named(body)); !errors.Is(err, want) {
			t.Errorf("settlement answered %s: %v, want %v", body, err, want)
		}
	}
}

// FuzzAnswer: what encoding/json does not read as one string of the call's name
// and known letters under the one key, claims nothing.
func FuzzAnswer(f *testing.F) {
	call := core.Token{1}
	name := pending(&call)
	for _, seed := range []string{`{"EVAL":"` + name + `cd"}`, `{"result":"` + name + `cp"}`, `{"EVAL":[false,"ERR x"]}`, `{"error":"x"}`, ` {"EVAL": "c\u0064"}`, `{"EVAL":"` + name + `cc","EVAL":"cc"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for api, key := range map[string]string{"webdis": "EVAL", "upstash": "result"} {
			got := make([]core.State, 2)
			if err := clientOf(api).ReadClaim(call, "200", []byte(body), got); err != nil {
				if got[0] != core.Unknown || got[1] != core.Unknown || len(err.Error()) > 200 {
					t.Fatalf("%q: %v, %v", body, got, err)
				}
				continue
			}
			var members map[string]string
			if err := json.Unmarshal([]byte(body), &members); err != nil || len(members) != 1 || len(members[key]) != len(name)+2 || !strings.HasPrefix(members[key], name) {
				t.Fatalf("%q was taken for %v: %v", body, got, err)
			}
			for i, state := range got {
				if want := stateOf[members[key][len(name)+i]]; state != want {
					t.Fatalf("%q: %v, want %v", body, state, want)
				}
			}
		}
	})
}

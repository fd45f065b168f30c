package core_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/core"
)

// noon is when these tests happen.
var noon = time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)

// arrive is a request without a signature from a client: signature_missing says
// that the client and its rate were let through.
func arrive(g *core.Gate, now time.Time, client netip.Addr) *core.Verdict {
	_, v := g.Begin(now, core.Head{Method: "POST", Target: "/", Client: client, Header: fields{}})
	return v
}

func mustLoad(t *testing.T, config string) *core.Gate {
	t.Helper()
	gate, err := load(config)
	if err != nil {
		t.Fatal(err)
	}
	return gate
}

func TestAllowIPs(t *testing.T) {
	for _, c := range []struct{ list, in, out string }{
		{`"192.0.2.1"`, "192.0.2.1 ::ffff:192.0.2.1", "192.0.2.0 192.0.2.2 ::ffff:192.0.2.2 ::1 ::192.0.2.1"},
		{`"192.0.2.0/24"`, "192.0.2.0 192.0.2.255 ::ffff:192.0.2.9", "192.0.1.255 192.0.3.0 2001:db8::c000:201"},
		{`"192.0.2.77/24"`, "192.0.2.1", "192.0.3.77"},
		{`"::ffff:192.0.2.0/120"`, "192.0.2.7 ::ffff:192.0.2.7", "192.0.3.7"},
		{`"::ffff:192.0.2.1"`, "192.0.2.1", "192.0.2.2"},
		{`"0.0.0.0/0"`, "192.0.2.1 ::ffff:10.0.0.1", "::1 2001:db8::1"},
		{`"::/0"`, "::1 2001:db8::1", "192.0.2.1 ::ffff:192.0.2.1"},
		{`"2001:db8::/32"`, "2001:db8:: 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8::1%eth0", "2001:db7:ffff:: 2001:db9::"},
		{`"fe80::1%eth0"`, "fe80::1 fe80::1%eth0 fe80::1%eth1", "fe80::2"},
		{`"private_ranges"`, "10.0.0.0 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 127.0.0.1 127.255.255.255 ::1 fd00::1 ::ffff:10.0.0.1",
			"9.255.255.255 11.0.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 ::2 fc00::1 fe00:: ::ffff:8.8.8.8"},
		{`"192.0.2.1","198.51.100.0/24","private_ranges"`, "192.0.2.1 198.51.100.7 10.1.1.1", "192.0.2.2 203.0.113.1"},
	} {
		gate := mustLoad(t, `"allow_ips":[`+c.list+`]`)
		for _, client := range addresses(c.in) {
			if v := arrive(gate, noon, client); v.Code != core.SignatureMissing {
				t.Errorf("%s keeps %s out: %s", c.list, client, v.Code)
			}
		}
		for _, client := range append(addresses(c.out), netip.Addr{}) {
			if v := arrive(gate, noon, client); v.Code != core.IPDenied || v.Status != 403 {
				t.Errorf("%s lets %s in: %s", c.list, client, v.Code)
			}
		}
	}
}

func addresses(list string) (all []netip.Addr) {
	for _, s := range strings.Fields(list) {
		all = append(all, netip.MustParseAddr(s))
	}
	return all
}

// Without a list an unknown client may send, too.
func TestAnyClientWithoutAllowIPs(t *testing.T) {
	gate := mustLoad(t, meta+"}")
	if v := arrive(gate, noon, netip.Addr{}); v.Code != core.SignatureMissing {
		t.Errorf("an unknown client: %s", v.Code)
	}
}

// A handshake is a request as any other to the checks of client and rate.
func TestClientChecksComeBeforeHandshakes(t *testing.T) {
	gate := mustLoad(t, `"verify_token":["t"],"rate_limit":"1/s 2","allow_ips":["192.0.2.1"]`)
	shake := func(client string) *core.Verdict {
		_, v := gate.Begin(noon, core.Head{
			Method: "GET", Target: "/?hub.mode=subscribe&hub.challenge=1&hub.verify_token=t",
			Client: netip.MustParseAddr(client), Header: fields{},
		})
		return v
	}
	for i, want := range []core.Code{"", "", core.RateLimited} {
		if v := shake("192.0.2.1"); v.Code != want {
			t.Errorf("handshake %d: %q, want %q", i, v.Code, want)
		}
	}
	if v := shake("192.0.2.2"); v.Code != core.IPDenied {
		t.Errorf("a stranger's handshake: %q", v.Code)
	}
}

func TestRateLimit(t *testing.T) {
	type visit struct {
		after  time.Duration
		client string
		wait   string // Retry-After where it is refused
	}
	for _, c := range []struct {
		about, limit string
		visits       []visit
	}{
		{"a burst is the rate where it is not given", "2/s", []visit{
			{0, "192.0.2.1", ""}, {0, "192.0.2.1", ""}, {0, "192.0.2.1", "1"},
			{499 * time.Millisecond, "192.0.2.1", "1"}, {time.Millisecond, "192.0.2.1", ""}, {0, "192.0.2.1", "1"},
		}},
		{"a burst is at least one request", "0.5/s", []visit{
			{0, "192.0.2.1", ""}, {0, "192.0.2.1", "2"}, {time.Second, "192.0.2.1", "1"}, {time.Second, "192.0.2.1", ""},
		}},
		{"a burst of its own, which time does not exceed", "1/s 3", []visit{
			{0, "192.0.2.1", ""}, {time.Hour, "192.0.2.1", ""}, {0, "192.0.2.1", ""}, {0, "192.0.2.1", ""}, {0, "192.0.2.1", "1"},
		}},
		{"Retry-After is rounded up, and 30 at most", "0.001/s", []visit{
			{0, "192.0.2.1", ""}, {0, "192.0.2.1", "30"}, {970*time.Second - time.Millisecond, "192.0.2.1", "30"},
			{time.Second + time.Millisecond, "192.0.2.1", "29"}, {28*time.Second + 500*time.Millisecond, "192.0.2.1", "1"}, {500 * time.Millisecond, "192.0.2.1", ""},
		}},
		{"each client has its own", "1/s", []visit{
			{0, "192.0.2.1", ""}, {0, "192.0.2.2", ""}, {0, "192.0.2.1", "1"}, {0, "192.0.2.2", "1"},
		}},
		{"an IPv4 client is one in either form", "1/s", []visit{
			{0, "192.0.2.1", ""}, {0, "::ffff:192.0.2.1", "1"},
		}},
		{"an IPv6 client is its /64", "1/s", []visit{
			{0, "2001:db8:0:1::1", ""}, {0, "2001:db8:0:1:ffff:ffff:ffff:ffff", "1"}, {0, "2001:db8:0:1::2%eth0", "1"},
			{0, "2001:db8:0:2::1", ""}, {0, "2001:db8::1", ""},
		}},
		{"a clock that goes back gives nothing and takes nothing", "1/s", []visit{
			{0, "192.0.2.1", ""}, {-time.Hour, "192.0.2.1", "1"}, {time.Second, "192.0.2.1", ""},
		}},
		{"unknown clients share one", "1/s", []visit{{0, "", ""}, {0, "", "1"}}},
	} {
		gate := mustLoad(t, `"rate_limit":"`+c.limit+`"`)
		now := noon
		for i, visit := range c.visits {
			now = now.Add(visit.after)
			client, _ := netip.ParseAddr(visit.client)
			v := arrive(gate, now, client)
			if got := answered(v, "Retry-After"); got != visit.wait || (v.Code == core.RateLimited) != (got != "") {
				t.Errorf("%s: visit %d: %s, Retry-After %q, want %q", c.about, i, v.Code, got, visit.wait)
			}
		}
	}
}

func answered(v *core.Verdict, name string) string {
	for _, f := range v.Header {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// The table holds 8,192 clients; who came longest ago makes room.
func TestRateTableIsBounded(t *testing.T) {
	const held = 8192
	gate := mustLoad(t, `"rate_limit":"0.001/s"`)
	limited := func(n int) bool {
		addr := netip.MustParseAddr(fmt.Sprintf("10.0.%d.%d", n>>8, n&255))
		return arrive(gate, noon, addr).Code == core.RateLimited
	}
	for n := range held {
		if limited(n) {
			t.Fatalf("client %d is limited at its first request", n)
		}
	}
	if !limited(0) {
		t.Error("the first client is forgotten while there is room")
	}
	limited(held) // pushes out client 1: 0 has just been here
	if !limited(0) || !limited(2) || !limited(held) {
		t.Error("a client is forgotten that was not the one longest ago")
	}
	if limited(1) {
		t.Error("the table holds more than it may")
	}
}

func TestRateTableIsSafeForConcurrentUse(t *testing.T) {
	gate := mustLoad(t, `"rate_limit":"0.001/s 100"`)
	passed := make(chan int)
	for range 8 {
		go func() {
			n := 0
			for range 50 {
				if arrive(gate, noon, netip.MustParseAddr("192.0.2.1")).Code != core.RateLimited {
					n++
				}
			}
			passed <- n
		}()
	}
	total := 0
	for range 8 {
		total += <-passed
	}
	if total != 100 {
		t.Errorf("%d requests passed, want 100", total)
	}
}

package core

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxRateEntries bounds the table of request rates. A client that is pushed out
// begins with a full burst again.
const maxRateEntries = 8192

// rateTable is a token bucket for each client address; an IPv6 client is its
// /64, since one host may use all of it.
type rateTable struct {
	perSecond, burst float64

	mu      sync.Mutex
	buckets map[netip.Addr]*bucket
	oldest  *bucket // by last use, a ring through prev and next
}

type bucket struct {
	client     netip.Addr
	tokens     float64
	at         time.Time
	prev, next *bucket
}

func (g *Gate) setRateLimit(p *problems, text string) {
	if text == "" {
		return
	}
	var err error
	if g.rate, err = newRateTable(text); err != nil {
		p.add("rate_limit", "%q: %v", text, err)
	}
}

// newRateTable reads "<n>/s" with an optional burst; the burst's default is n,
// at least 1.
func newRateTable(text string) (*rateTable, error) {
	const form = `"<n>/s" is wanted, or "<n>/s <burst>", with numbers from 0.001 to 1000000`
	parts := strings.Fields(text)
	if len(parts) < 1 || len(parts) > 2 {
		return nil, errors.New(form)
	}
	number, ok := strings.CutSuffix(parts[0], "/s")
	n, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(n >= 0.001 && n <= 1e6) {
		return nil, errors.New(form)
	}
	burst := max(n, 1)
	if len(parts) == 2 {
		b, err := strconv.Atoi(parts[1])
		if err != nil || b < 1 || b > 1e6 {
			return nil, errors.New(form)
		}
		burst = float64(b)
	}
	return &rateTable{perSecond: n, burst: burst, buckets: map[netip.Addr]*bucket{}}, nil
}

// take takes one token of the client's; without one it says how long to wait.
func (t *rateTable) take(now time.Time, client netip.Addr) (wait time.Duration, ok bool) {
	client = client.Unmap().WithZone("")
	if client.Is6() {
		prefix, _ := client.Prefix(64)
		client = prefix.Addr()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.buckets[client]
	if b == nil {
		b = t.add(client, now)
	} else {
		elapsed := max(now.Sub(b.at), 0).Seconds()
		b.tokens = min(b.tokens+elapsed*t.perSecond, t.burst)
		b.at = now
		t.unlink(b)
		t.link(b)
	}
	if b.tokens >= 1 {
		b.tokens--
		return 0, true
	}
	return time.Duration((1 - b.tokens) / t.perSecond * float64(time.Second)), false
}

func (t *rateTable) add(client netip.Addr, now time.Time) *bucket {
	if len(t.buckets) == maxRateEntries {
		delete(t.buckets, t.oldest.client)
		t.unlink(t.oldest)
	}
	b := &bucket{client: client, tokens: t.burst, at: now}
	t.buckets[client] = b
	t.link(b)
	return b
}

// link puts b last into the ring.
func (t *rateTable) link(b *bucket) {
	if t.oldest == nil {
		b.prev, b.next = b, b
		t.oldest = b
		return
	}
	last := t.oldest.prev
	last.next, b.prev = b, last
	b.next, t.oldest.prev = t.oldest, b
}

func (t *rateTable) unlink(b *bucket) {
	if b.next == b {
		t.oldest = nil
		return
	}
	b.prev.next, b.next.prev = b.next, b.prev
	if t.oldest == b {
		t.oldest = b.next
	}
}

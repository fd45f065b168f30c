package redis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/caddy/stores/redis"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/e2e/hosts"
)

// slow makes the store's durations so long that what really passes during a
// test is less than the millisecond that storetest takes care of: 10 seconds of
// Redis' clock are 1 ms of the test's.
type slow struct{ stores.Store }

const slowness = 10_000

func (s slow) Claim(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration, states []core.State) error {
	return s.Store.Claim(ctx, token, keys, lease*slowness, states)
}

func (s slow) Commit(ctx context.Context, token core.Token, keys []core.Key, window time.Duration) error {
	return s.Store.Commit(ctx, token, keys, window*slowness)
}

func (s slow) Renew(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration) error {
	return s.Store.Renew(ctx, token, keys, lease*slowness)
}

// age lets time pass for every key of a server: its clock can't be set, but
// every end can be brought nearer.
const age = `for _, key in ipairs(redis.call('KEYS', '*')) do
  redis.call('PEXPIRE', key, redis.call('PTTL', key) - ARGV[1])
end`

func agers(t *testing.T, nodes []*hosts.Redis) func(time.Duration) {
	return func(d time.Duration) {
		t.Helper()
		for _, n := range nodes {
			if got := n.Ask(t, "EVAL", age, "0", fmt.Sprint((d * slowness).Milliseconds())); got != "$-1" && got != "_" {
				t.Fatalf("letting time pass: %s", got)
			}
		}
	}
}

// open gives each test a prefix of its own on the servers given.
func open(nodes []*hosts.Redis, o redis.Options) storetest.Open {
	return func(t *testing.T) (stores.Store, func(time.Duration)) {
		for _, n := range nodes {
			n.Ask(t, "FLUSHALL")
		}
		o.Timeout = 10 * time.Second
		s := redis.Open(o, zaptest.NewLogger(t))
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		return slow{s}, agers(t, nodes)
	}
}

func TestSingle(t *testing.T) {
	server := hosts.StartRedis(t)
	storetest.Run(t, open([]*hosts.Redis{server}, redis.Options{Addresses: []string{server.Address}}))
}

func TestCluster(t *testing.T) {
	nodes := hosts.StartCluster(t, 3)
	storetest.Run(t, open(nodes, redis.Options{Addresses: []string{nodes[1].Address, nodes[2].Address}}))
	for _, n := range nodes {
		if got := n.Ask(t, "DBSIZE"); got == ":0" {
			t.Errorf("%s has no claims: the keys do not spread", n.Address)
		}
	}
}

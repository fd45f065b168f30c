package redis_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/caddy/stores/redis"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/e2e/hosts"
)

// crashing is a store to which, before every call, something may happen: its
// server is killed and started again with its file, all connections are lost, or
// the next answers are. Whoever calls again afterwards may notice nothing.
type crashing struct {
	stores.Store
	t      *testing.T
	server *hosts.Redis
	proxy  *hosts.Proxy
	rand   *rand.Rand
	probes uint64
}

func (c *crashing) before() {
	switch c.rand.IntN(100) {
	case 0:
		c.server.Kill()
		c.server.Start(c.t)
		c.recover()
	case 1, 2:
		c.proxy.Drop()
		c.recover()
	case 3, 4, 5:
		c.proxy.CutAnswers(1)
	}
}

// recover waits until the store works again, with keys that no script has.
func (c *crashing) recover() {
	until(c.t, "the store recovers", func() bool {
		c.probes++
		token, keys := storetest.NewToken(1e6+c.probes), []core.Key{storetest.NewKey(1e6 + c.probes)}
		if c.Store.Claim(context.Background(), token, keys, lease, make([]core.State, 1)) != nil {
			return false
		}
		return c.Store.Release(context.Background(), token, keys) == nil
	})
}

func (c *crashing) Claim(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration, states []core.State) error {
	c.before()
	return c.Store.Claim(ctx, token, keys, lease, states)
}

func (c *crashing) Commit(ctx context.Context, token core.Token, keys []core.Key, window time.Duration) error {
	c.before()
	return c.Store.Commit(ctx, token, keys, window)
}

func (c *crashing) Release(ctx context.Context, token core.Token, keys []core.Key) error {
	c.before()
	return c.Store.Release(ctx, token, keys)
}

func (c *crashing) Renew(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration) error {
	c.before()
	return c.Store.Renew(ctx, token, keys, lease)
}

// TestCrashing plays against the model with a server that crashes at random.
func TestCrashing(t *testing.T) {
	for seed := range uint64(4) {
		t.Logf("seed %d", seed)
		server := hosts.StartRedis(t, durable...)
		proxy := hosts.StartProxy(t, server.Address)
		store, advance := open([]*hosts.Redis{server}, redis.Options{Addresses: []string{proxy.Address}})(t)
		c := &crashing{Store: store, t: t, server: server, proxy: proxy, rand: rand.New(rand.NewPCG(seed, 2))}
		storetest.Play(t, c, advance, 0, storetest.Script(seed, 4096))
	}
}

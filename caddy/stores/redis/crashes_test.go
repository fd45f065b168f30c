package redis_test

import (
	"context"
	"math/rand/v2"
	"testing"

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
	store  stores.Store
	t      *testing.T
	server *hosts.Redis
	proxy  *hosts.Proxy
	rand   *rand.Rand
	probes uint64
}

func (c *crashing) before() stores.Store {
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
	return c.store
}

// recover waits until the store works again, with keys that no script has.
func (c *crashing) recover() {
	until(c.t, "the store recovers", func() bool {
		c.probes++
		token, keys := storetest.NewToken(1e6+c.probes), []core.Key{storetest.NewKey(1e6 + c.probes)}
		if c.store.Claim(context.Background(), token, keys, lease, make([]core.State, 1)) != nil {
			return false
		}
		return c.store.Release(context.Background(), token, keys) == nil
	})
}

// TestCrashing plays against the model with a server that crashes at random.
func TestCrashing(t *testing.T) {
	for seed := range uint64(4) {
		t.Logf("seed %d", seed)
		server := hosts.StartRedis(t, durable...)
		proxy := hosts.StartProxy(t, server.Address)
		store, advance := open([]*hosts.Redis{server}, redis.Options{Addresses: []string{proxy.Address}})(t)
		c := &crashing{store: store, t: t, server: server, proxy: proxy, rand: rand.New(rand.NewPCG(seed, 2))}
		storetest.Play(t, storetest.Disturbed(c.before), advance, 0, storetest.Script(seed, 4096))
	}
}

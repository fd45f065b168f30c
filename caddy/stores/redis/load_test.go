package redis_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/caddy/stores/redis"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/e2e/hosts"
)

// fleet is many deliveries of the same events at once, while something goes
// wrong. Each event is delivered again and again until it is done, as a
// provider would; backend counts how often it was let through.
type fleet struct {
	stores  []stores.Store
	backend []atomic.Int32
	commits atomic.Int32 // commits that were answered without an error
}

const fleetEvents = 300

// run delivers all events, calling fault once about a third has been done. The
// last third is delivered only when fault says that it has struck, so that there
// is something left to go wrong, however fast the rest went.
func (f *fleet) run(t *testing.T, fault func(struck func())) {
	t.Helper()
	f.backend = make([]atomic.Int32, fleetEvents)
	var (
		wg     sync.WaitGroup
		tokens atomic.Int32
		finish = make(chan struct{})
		third  = make(chan struct{}, fleetEvents)
		struck = make(chan struct{})
	)
	for n := range fleetEvents {
		wg.Go(func() {
			time.Sleep(time.Duration(n) * 2 * time.Millisecond)
			if n >= fleetEvents*2/3 {
				<-struck
			}
			for {
				state := f.deliver(f.stores[n%len(f.stores)], int(tokens.Add(1)), n)
				if state == core.Done {
					third <- struct{}{}
					return
				}
				select {
				case <-finish:
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		})
	}
	for range fleetEvents / 3 {
		<-third
	}
	fault(func() { close(struck) })
	all := make(chan struct{})
	go func() { wg.Wait(); close(all) }()
	select {
	case <-all:
	case <-time.After(5 * patient):
		t.Error("not all events were done in time")
		close(finish)
		wg.Wait()
	}
}

// deliver is one delivery; the backend works for a moment.
func (f *fleet) deliver(s stores.Store, token, n int) core.State {
	var states [1]core.State
	keys := []core.Key{storetest.NewKey(uint64(n))}
	if err := s.Claim(context.Background(), storetest.NewToken(uint64(token)), keys, lease, states[:]); err != nil {
		return core.Unknown
	}
	if states[0] == core.Claimed {
		time.Sleep(time.Millisecond)
		f.backend[n].Add(1)
		if s.Commit(context.Background(), storetest.NewToken(uint64(token)), keys, window) == nil {
			f.commits.Add(1)
		}
	}
	return states[0]
}

// check counts how often each event came: at least once, and no more often
// than that.
func (f *fleet) check(t *testing.T, most int32) {
	t.Helper()
	times := map[int32]int{}
	for n := range f.backend {
		times[f.backend[n].Load()]++
	}
	t.Logf("events by how often they came: %v; %d commits answered", times, f.commits.Load())
	for came := range times {
		if came < 1 || came > most {
			t.Errorf("%d events came %d times, want 1 to %d", times[came], came, most)
		}
	}
}

func TestKilledAndRestarted(t *testing.T) {
	server := hosts.StartRedis(t, durable...)
	f := &fleet{stores: []stores.Store{openAt(t, server.Address), openAt(t, server.Address)}}
	f.run(t, func(struck func()) {
		server.Kill()
		struck()
		server.Start(t)
	})
	f.check(t, 1)
}

func TestPausedUnderLoad(t *testing.T) {
	server := hosts.StartRedis(t)
	one, other := openAt(t, server.Address), openAt(t, server.Address)
	one.SetTimeout(impatient)
	f := &fleet{stores: []stores.Store{one, other}}
	f.run(t, func(struck func()) {
		server.Pause()
		struck()
		time.Sleep(1500 * time.Millisecond) // longer than the client keeps a silent connection
		server.Resume()
	})
	f.check(t, 1)
}

// A Sentinel set promotes the replica. What the master had not passed on comes
// twice: that is the documented case.
func TestFailover(t *testing.T) {
	master := hosts.StartRedis(t, "--repl-diskless-sync-delay", "0")
	replica := hosts.StartReplica(t, master)
	for _, server := range []*hosts.Redis{master, replica} {
		server.Ask(t, "ACL", "SETUSER", "gate", "on", ">s3cret", "~*", "+@all")
	}
	sentinels := hosts.StartSentinels(t, 3, master) // which know no user
	open := func() *redis.Store {
		return openWith(t, redis.Options{
			Addresses: []string{sentinels[0].Address, sentinels[1].Address}, Sentinel: "claims",
			Username: "gate", Password: "s3cret", Timeout: time.Second,
		}, zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel)))
	}
	f := &fleet{stores: []stores.Store{open(), open()}}
	f.run(t, func(struck func()) { master.Kill(); struck() })
	f.check(t, 2)
}

// One of three masters is gone for a while: the others go on.
func TestClusterNodeRestarts(t *testing.T) {
	nodes := hosts.StartCluster(t, 3, append(durable, "--cluster-require-full-coverage", "no")...)
	f := &fleet{stores: []stores.Store{openAt(t, nodes[0].Address), openAt(t, nodes[1].Address, nodes[2].Address)}}
	f.run(t, func(struck func()) {
		nodes[2].Kill()
		done := f.commits.Load()
		struck()
		until(t, "the other masters go on", func() bool { return f.commits.Load() > done+20 })
		nodes[2].Start(t)
	})
	f.check(t, 1)
}

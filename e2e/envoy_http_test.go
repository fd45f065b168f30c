package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/core/cases"
	"github.com/hookward/hookward/e2e/hosts"
	"github.com/hookward/hookward/e2e/sign"
)

// httpGate is the filter's configuration with a gate whose replay settings and
// store's settings are these.
func httpGate(t *testing.T, replay, store object) string {
	t.Helper()
	full := object{"module": "http", "cluster": "redis", "timeout": "20s"}
	for key, value := range store {
		full[key] = value
	}
	gate := object{"path": "/*", "provider": "meta", "secrets": []string{"{env.SECRET}"}}
	if replay != nil {
		gate["replay"] = replay
	}
	return toJSON(t, object{"routes": []any{gate}, "replay": object{"store": full}})
}

// newHTTPSite starts an Envoy with a listener whose claims go to redis, which
// speaks HTTP there.
func newHTTPSite(t *testing.T, binary, redis string, how setup, args ...string) *envoySite {
	t.Helper()
	envoy := hosts.StartEnvoy(t, binary, hosts.Bootstrap([]object{how.listener(t, "site")},
		hosts.Cluster("site", how.cluster), hosts.Cluster("redis", redis)), args...)
	return &envoySite{envoy, envoy.Addresses(t)["site"]}
}

// unsettled counts the keys of a Redis that are pending.
const unsettled = `local n = 0
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('GET', key) ~= 'd' then n = n + 1 end
end
return n`

// waitUntilSettled waits until no claim is pending: the filter settles just
// after the answer has gone.
func waitUntilSettled(t *testing.T, redis *hosts.Redis) {
	t.Helper()
	eventually(t, "all claims are settled", func() bool { return redis.Ask(t, "EVAL", unsettled, "0") == ":0" })
}

// sendUntilTaken sends until the store does not fail, as a provider would.
func (s *envoySite) sendUntilTaken(t *testing.T, d sign.Delivery) (a answer) {
	t.Helper()
	eventually(t, "the delivery is taken", func() bool { a = s.send(t, d); return a.Status != 503 })
	return a
}

// TestEnvoyHTTPStore: what is claimed in Redis by way of webdis is forwarded
// once, on every Envoy.
func TestEnvoyHTTPStore(t *testing.T) {
	eachEnvoy(t, func(t *testing.T, binary string) {
		t.Parallel()
		backend, redis := hosts.StartBackend(t), hosts.StartRedis(t)
		webdis := hosts.StartWebdis(t, redis.Address)
		s := newHTTPSite(t, binary, webdis.Address, setup{cluster: backend.Address, config: httpGate(t, nil, nil)})
		d := meta()
		s.send(t, d).want(t, 200)
		waitUntilSettled(t, redis)
		s.send(t, d).wantDuplicate(t)
		if n := len(backend.Take()); n != 1 {
			t.Errorf("the backend saw the delivery %d times, want once", n)
		}

		d = meta()
		backend.Answer(500)
		s.withTrailers(t, d).want(t, 500)
		waitUntilSettled(t, redis)
		backend.Answer(200)
		s.withTrailers(t, d).want(t, 200)
		waitUntilSettled(t, redis)
		s.withTrailers(t, d).wantDuplicate(t)
		for _, seen := range backend.Take() {
			if len(seen.Trailer) > 0 || seen.Header.Get("X-Hookward-Assurance") != "signature" {
				t.Errorf("the backend got %v and the trailers %v", seen.Header, seen.Trailer)
			}
		}
	})
}

// TestEnvoyHTTPCases runs the core's cases of the gate with claims in Redis.
func TestEnvoyHTTPCases(t *testing.T) {
	t.Parallel()
	backend, redis := hosts.StartBackend(t), hosts.StartRedis(t)
	webdis := hosts.StartWebdis(t, redis.Address)
	module := hosts.BuildWasm(t, "./envoy-wasm")
	all := slices.DeleteFunc(hosted(t), func(c cases.Case) bool { return len(c.Steps) < 2 && !strings.HasPrefix(c.Name, "gate/") })
	if len(all) < 20 {
		t.Fatalf("%d cases: too few", len(all))
	}
	var listeners []object
	for i := range all {
		gate := gateOf(t, i, &all[i])
		gate["path"] = "/*"
		config := toJSON(t, object{"routes": []any{gate}, "replay": object{"store": object{"module": "http", "cluster": "redis", "timeout": "20s"}}})
		filter := hosts.Filter{Module: module, Config: config, Name: caseName(i), HoldsHeaders: true}
		listeners = append(listeners, hosts.Listener(caseName(i), "backend", fill, filter.JSON()))
	}
	envoy := hosts.StartEnvoy(t, hosts.NewestEnvoy(t), hosts.Bootstrap(listeners,
		hosts.Cluster("backend", backend.Address), hosts.Cluster("redis", webdis.Address)), "--concurrency", "1")
	addresses := envoy.Addresses(t)
	runCases(t, func(i int) string {
		waitUntilSettled(t, redis)
		return addresses[caseName(i)]
	}, backend, all)
}

// TestEnvoyHTTPPending: while the backend works its delivery is pending, and
// the worker serves others. The claim is that of Caddy's redis store.
func TestEnvoyHTTPPending(t *testing.T) {
	t.Parallel()
	working, finish := make(chan struct{}, 9), make(chan struct{})
	backend := &recorder{answer: func(http.ResponseWriter, *http.Request) { working <- struct{}{}; <-finish }}
	redis := hosts.StartRedis(t)
	webdis := hosts.StartWebdis(t, redis.Address)
	s := newHTTPSite(t, hosts.NewestEnvoy(t), webdis.Address, setup{cluster: serve(t, backend), config: httpGate(t, nil, nil)}, "--concurrency", "1")
	d, answered := meta(), make(chan answer)
	go func() { a, _ := s.sender().trySend(t.Context(), newClient(), d); answered <- a }()
	<-working
	for range 3 {
		s.send(t, d).wantCode(t, 503, "duplicate_in_flight")
	}
	key := redis.Ask(t, "RANDOMKEY")
	if value := redis.Ask(t, "GET", key); !regexp.MustCompile(`^hookward:[0-9a-f]{32} p[0-9a-f]{32}$`).MatchString(key + " " + value) {
		t.Errorf("the pending claim is %q = %q", key, value)
	}
	close(finish)
	(<-answered).want(t, 200)
	waitUntilSettled(t, redis)
	s.send(t, d).wantDuplicate(t)
	if value := redis.Ask(t, "GET", key); value != "d" {
		t.Errorf("the done claim is %q", value)
	}
	const window = 185 * 3600 // seconds
	if left, _ := strconv.Atoi(strings.TrimPrefix(redis.Ask(t, "TTL", key), ":")); left < window-60 || left > window {
		t.Errorf("it ends in %d s, want %d", left, window)
	}
}

// TestEnvoyAndCaddy: on one Redis, what one has seen is a duplicate to the
// other, and what one works on is pending to the other.
func TestEnvoyAndCaddy(t *testing.T) {
	t.Parallel()
	working, finish := make(chan struct{}, 9), make(chan struct{})
	backend := &recorder{}
	address, redis := serve(t, backend), hosts.StartRedis(t)
	webdis := hosts.StartWebdis(t, redis.Address)
	e := newHTTPSite(t, hosts.NewestEnvoy(t), webdis.Address, setup{cluster: address, config: httpGate(t, nil, nil)})
	c := siteKeeping(t, t.TempDir(), address, onRedisWithin(20*time.Second, redis.Address), metaGate)
	eventually(t, "Caddy reaches Redis", func() bool { return c.send(t, meta()).Status == 200 })
	hosts := []interface {
		send(*testing.T, sign.Delivery) answer
	}{e, c}
	for i, first := range hosts {
		second := hosts[1-i]
		d := meta()
		first.send(t, d).want(t, 200)
		waitUntilSettled(t, redis)
		second.send(t, d).wantDuplicate(t)

		d = meta()
		backend.will(status(500))
		first.send(t, d).want(t, 500)
		backend.will(nil)
		waitUntilSettled(t, redis)
		second.send(t, d).want(t, 200)
		waitUntilSettled(t, redis)
		first.send(t, d).wantDuplicate(t)
	}
	backend.will(func(http.ResponseWriter, *http.Request) { working <- struct{}{}; <-finish })
	for i, first := range hosts {
		d, answered := meta(), make(chan answer)
		go func() { answered <- first.send(t, d) }()
		<-working
		hosts[1-i].send(t, d).wantCode(t, 503, "duplicate_in_flight")
		finish <- struct{}{}
		(<-answered).want(t, 200)
	}
}

// TestEnvoyHTTPDown: without a server a delivery is refused, or passes marked
// where the gate says so; and all is well again when the server is.
func TestEnvoyHTTPDown(t *testing.T) {
	t.Parallel()
	for _, accept := range []bool{false, true} {
		t.Run(fmt.Sprintf("accept %v", accept), func(t *testing.T) {
			t.Parallel()
			backend, redis := &recorder{}, hosts.StartRedis(t)
			webdis := hosts.StartWebdis(t, redis.Address)
			provider, replay := "meta", object(nil)
			if accept {
				provider, replay = "twabot", object{"on_error": "accept"}
			}
			config := strings.Replace(httpGate(t, replay, object{"timeout": "300ms"}), `"meta"`, `"`+provider+`"`, 1)
			s := newHTTPSite(t, hosts.NewestEnvoy(t), webdis.Address, setup{cluster: serve(t, backend), config: config}, "--concurrency", "1")
			fresh := func() sign.Delivery { return sign.New(provider, secret, "", "/hook") }
			before, during := fresh(), fresh()
			eventually(t, "the store answers in time", func() bool {
				s.sendUntilTaken(t, before)
				return backend.one(t).Header.Get("X-Hookward-Replay") == ""
			})
			waitUntilSettled(t, redis)
			down := func(how string) {
				if accept {
					s.send(t, during).want(t, 200)
					if mark := backend.one(t).Header.Get("X-Hookward-Replay"); mark != "unchecked" {
						t.Errorf("%s: X-Hookward-Replay = %q, want unchecked", how, mark)
					}
					return
				}
				s.send(t, during).wantCode(t, 503, "replay_store_unavailable")
				backend.none(t)
			}
			redis.Pause()
			for range 20 {
				down("paused")
			}
			redis.Resume()
			eventually(t, "the store is asked again", func() bool { return s.send(t, before).Header.Get("X-Hookward-Duplicate") == "true" })
			backend.take()
			redis.Stop()
			down("stopped")
			redis.Start(t)
			after := fresh()
			eventually(t, "the store is asked again", func() bool {
				s.sendUntilTaken(t, after)
				return s.send(t, after).Header.Get("X-Hookward-Duplicate") == "true"
			})
			backend.take()
			webdis.Kill()
			down("webdis killed")
			eventually(t, "errors are counted", func() bool {
				n := statistic(s, `hookward_replay_errors_total{name="`+provider+`",store="http"}`)
				return n >= 22
			})
			s.waitForLog(t, "replay store gives no answer")
			s.waitForLog(t, "replay store answers again")
		})
	}
}

// statistic is a metric as Envoy's admin interface tells it, 0 if it doesn't.
func statistic(s *envoySite, name string) int {
	for line := range strings.Lines(s.Get("/stats/prometheus")) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(value))
			return n
		}
	}
	return 0
}

// TestEnvoyHTTPSilent: a store that never answers is asked once. The answer to
// the sender comes all the same, and the next deliveries are refused without
// asking. When the store answers again, the delivery is new: what the first had
// claimed is released.
func TestEnvoyHTTPSilent(t *testing.T) {
	t.Parallel()
	backend, redis := &recorder{}, hosts.StartRedis(t)
	store := hosts.StartProxy(t, hosts.StartWebdis(t, redis.Address).Address)
	s := newHTTPSite(t, hosts.NewestEnvoy(t), store.Address, setup{cluster: serve(t, backend), config: httpGate(t, nil, object{"timeout": "200ms"})}, "--concurrency", "1")
	s.sendUntilTaken(t, meta()).want(t, 200)
	waitUntilSettled(t, redis)
	backend.take()
	store.Hold()
	before := len(store.Asked())
	d := meta()
	s.send(t, d).wantCode(t, 503, "replay_store_unavailable")
	for range 20 {
		s.send(t, meta()).wantCode(t, 503, "replay_store_unavailable")
	}
	if asked := len(store.Asked()) - before; asked != 1 {
		t.Errorf("the silent store was asked for %d of 21 deliveries, want the first", asked)
	}
	backend.none(t)
	store.Pass()
	s.sendUntilTaken(t, d).want(t, 200)
	backend.one(t)
}

// TestEnvoyHTTPAnswerLost: a claim whose answer is lost is asked for again.
func TestEnvoyHTTPAnswerLost(t *testing.T) {
	t.Parallel()
	backend, redis := &recorder{}, hosts.StartRedis(t)
	store := hosts.StartProxy(t, hosts.StartWebdis(t, redis.Address).Address)
	s := newHTTPSite(t, hosts.NewestEnvoy(t), store.Address, setup{cluster: serve(t, backend), config: httpGate(t, nil, object{"timeout": "20s"})}, "--concurrency", "1")
	store.CutAnswers(1)
	s.send(t, meta()).want(t, 200)
	backend.one(t)
	if store.Cut() != 0 {
		t.Error("no answer was cut")
	}
}

// TestEnvoyHTTPEmptied: a Redis that forgets is the documented case of a
// duplicate that passes.
func TestEnvoyHTTPEmptied(t *testing.T) {
	t.Parallel()
	backend, redis := &recorder{}, hosts.StartRedis(t)
	webdis := hosts.StartWebdis(t, redis.Address)
	s := newHTTPSite(t, hosts.NewestEnvoy(t), webdis.Address, setup{cluster: serve(t, backend), config: httpGate(t, nil, nil)}, "--concurrency", "1")
	d := meta()
	s.send(t, d).want(t, 200)
	waitUntilSettled(t, redis)
	s.send(t, d).wantDuplicate(t)
	redis.Restart(t)
	s.sendUntilTaken(t, d).want(t, 200)
	waitUntilSettled(t, redis)
	s.send(t, d).wantDuplicate(t)
	if n := len(backend.take()); n != 2 {
		t.Errorf("the backend saw it %d times, want 2", n)
	}
}

// TestEnvoyHTTPSenderLeaves: while the claim is on its way. It is released
// after its time-out, so that the retry is new.
func TestEnvoyHTTPSenderLeaves(t *testing.T) {
	t.Parallel()
	backend, redis := &recorder{}, hosts.StartRedis(t)
	store := hosts.StartProxy(t, hosts.StartWebdis(t, redis.Address).Address)
	s := newHTTPSite(t, hosts.NewestEnvoy(t), store.Address, setup{cluster: serve(t, backend), config: httpGate(t, nil, object{"timeout": "1s"})}, "--concurrency", "1")
	asked := func(times int) func() bool {
		return func() bool { return slices.Equal(slices.Collect(maps.Values(store.Asked())), []int{times}) }
	}
	d := meta()
	store.Hold()
	s.leaves(t, headOf(d, lengthOf(d))+d.Body, func() { eventually(t, "it is claimed", asked(1)) })
	eventually(t, "it is released", asked(2))
	store.Pass()
	backend.none(t)
	s.sendUntilTaken(t, d).want(t, 200)
	backend.one(t)
}

// TestEnvoyHTTPPanics: a panic in a call-back is answered, and what was claimed
// is released. Where the whole machine dies, the lease decides.
func TestEnvoyHTTPPanics(t *testing.T) {
	t.Parallel()
	backend, redis := &recorder{}, hosts.StartRedis(t)
	webdis := hosts.StartWebdis(t, redis.Address)
	config := httpGate(t, object{"lease": "2s"}, nil)
	s := newHTTPSite(t, hosts.NewestEnvoy(t), webdis.Address, setup{cluster: serve(t, backend), tags: "faults", config: config}, "--concurrency", "1")
	for _, callback := range []string{"request body", "claim answer"} {
		d := meta()
		d.Header.Set("X-Fault", callback)
		s.send(t, d).wantCode(t, 503, "host_misconfigured")
		backend.none(t)
		waitUntilSettled(t, redis)
		d.Header.Del("X-Fault")
		s.send(t, d).want(t, 200)
		backend.one(t)
	}
	// Envoy leaves a request that waits for a call-back of a dead machine waiting.
	d := meta()
	d.Header.Set("X-Fault", "dies in claim answer")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if a, err := s.sender().trySend(ctx, newClient(), d); err == nil && a.Status != 503 {
		t.Errorf("a dead machine answered %v", a)
	}
	backend.none(t)
	d.Header.Del("X-Fault")
	s.sendUntilTaken(t, d).want(t, 200)
	backend.one(t)
}

// TestEnvoyUpstash: the REST form of Upstash, with its token from the
// environment. A stand-in speaks it in front of a real Redis.
func TestEnvoyUpstash(t *testing.T) {
	t.Parallel()
	backend, redis := &recorder{}, hosts.StartRedis(t)
	config := httpGate(t, nil, object{"api": "upstash", "token": "{env.SECRET}", "prefix": "mine:"})
	s := newHTTPSite(t, hosts.NewestEnvoy(t), hosts.StartUpstash(t, redis, secret), setup{cluster: serve(t, backend), config: config}, "--concurrency", "1")
	d := meta()
	s.send(t, d).want(t, 200)
	waitUntilSettled(t, redis)
	s.send(t, d).wantDuplicate(t)
	backend.one(t)
	if key := redis.Ask(t, "RANDOMKEY"); !strings.HasPrefix(key, "mine:") {
		t.Errorf("the key is %q", key)
	}
	wrong := newHTTPSite(t, hosts.NewestEnvoy(t), hosts.StartUpstash(t, redis, "another"), setup{cluster: serve(t, backend), config: config}, "--concurrency", "1")
	wrong.send(t, meta()).wantCode(t, 503, "replay_store_unavailable")
	wrong.waitForLog(t, "the server wants another token")
	if log := s.Output() + wrong.Output(); strings.Contains(log, secret) {
		t.Error("the token is in the log")
	}
}

// serve serves a backend until the test ends, and returns its address.
func serve(t *testing.T, backend http.Handler) string {
	server := httptest.NewServer(backend)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.Listener.Addr().String()
}

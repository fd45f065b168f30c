//go:build !wasip1

package httpstore

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/caddy/stores/storetest"
	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/e2e/hosts"
)

// overHTTP makes a stores.Store of a client, with a net/http client in Envoy's
// place, so that the same tests drive it as the stores of Caddy. It is slow as
// the Redis store is in its test: 10 seconds of Redis' clock are 1 ms of the
// test's, so that what really passes does not matter.
type overHTTP struct {
	*Client
	address string
	slow    time.Duration
}

const slowness = 10_000

func (s overHTTP) call(body []byte) (status string, answer []byte, err error) {
	r, err := http.NewRequest("POST", "http://"+s.address+"/", bytes.NewReader(body))
	if err != nil {
		return "", nil, err
	}
	for _, f := range s.Header() {
		if !strings.HasPrefix(f[0], ":") {
			r.Header.Set(f[0], f[1])
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return strconv.Itoa(resp.StatusCode), answer, err
}

func (s overHTTP) Claim(_ context.Context, token core.Token, keys []core.Key, lease time.Duration, states []core.State) error {
	status, body, err := s.call(s.AppendClaim(nil, token, keys, lease*s.slow))
	return errors.Join(err, s.ReadClaim(token, status, body, states))
}

func (s overHTTP) settle(op Op, token core.Token, keys []core.Key, d time.Duration) error {
	var batch []Settlement
	for _, key := range keys {
		batch = append(batch, Settlement{Op: op, Token: token, Key: key, Time: d * s.slow})
	}
	status, body, err := s.call(s.AppendSettle(nil, token, batch))
	return errors.Join(err, s.ReadSettle(token, status, body))
}

func (s overHTTP) Commit(_ context.Context, token core.Token, keys []core.Key, window time.Duration) error {
	return s.settle(Commit, token, keys, window)
}

func (s overHTTP) Release(_ context.Context, token core.Token, keys []core.Key) error {
	return s.settle(Release, token, keys, 0)
}

func (s overHTTP) Renew(_ context.Context, token core.Token, keys []core.Key, lease time.Duration) error {
	return s.settle(Renew, token, keys, lease)
}

const age = `for _, key in ipairs(redis.call('KEYS', '*')) do
  redis.call('PEXPIRE', key, redis.call('PTTL', key) - ARGV[1])
end`

func opener(redis *hosts.Redis, address string, c core.HTTPStore) storetest.Open {
	return func(t *testing.T) (stores.Store, func(time.Duration)) {
		redis.Ask(t, "FLUSHALL")
		return overHTTP{New(c), address, slowness}, func(d time.Duration) {
			t.Helper()
			if got := redis.Ask(t, "EVAL", age, "0", fmt.Sprint((d * slowness).Milliseconds())); got != "$-1" && got != "_" {
				t.Fatalf("letting time pass: %s", got)
			}
		}
	}
}

// TestWebdis drives the store through the tests of all stores, by way of a real
// webdis.
func TestWebdis(t *testing.T) {
	redis := hosts.StartRedis(t)
	webdis := hosts.StartWebdis(t, redis.Address)
	storetest.Run(t, opener(redis, webdis.Address, core.HTTPStore{API: "webdis", Cluster: "redis", Prefix: "a prefix/with.odd%things:"}))
}

// TestUpstash is TestWebdis for the REST form of Upstash, by way of a stand-in
// in front of a real Redis.
func TestUpstash(t *testing.T) {
	redis := hosts.StartRedis(t)
	address := hosts.StartUpstash(t, redis, "t0ken")
	storetest.Run(t, opener(redis, address, core.HTTPStore{API: "upstash", Cluster: "redis", Token: "t0ken", Prefix: `"quoted\:`}))
}

// TestMixedUp: whoever connects to webdis after others have given up may get
// what they would have got. None of it is taken for an answer.
func TestMixedUp(t *testing.T) {
	const rounds, calls = 30, 20
	redis := hosts.StartRedis(t)
	s := overHTTP{New(core.HTTPStore{API: "webdis", Cluster: "redis"}), hosts.StartWebdis(t, redis.Address).Address, 1}
	pending := storetest.NewKey(0)
	if err := s.Claim(t.Context(), storetest.NewToken(0), []core.Key{pending}, time.Hour, make([]core.State, 1)); err != nil {
		t.Fatal(err)
	}
	mixedUp := 0
	for round := range rounds {
		first := uint64(1 + round*calls)
		redis.Pause()
		var gone, asking [calls]net.Conn
		for i := range gone {
			gone[i] = s.ask(t, core.Token{1}, pending)
		}
		time.Sleep(10 * time.Millisecond) // webdis reads them
		for _, conn := range gone {
			conn.Close()
		}
		time.Sleep(10 * time.Millisecond) // and learns that they have gone
		for i := range asking {
			asking[i] = s.ask(t, storetest.NewToken(first+uint64(i)), storetest.NewKey(first+uint64(i)))
		}
		redis.Resume()
		for i, conn := range asking {
			var states [1]core.State
			err := s.ReadClaim(storetest.NewToken(first+uint64(i)), "200", bodyFrom(conn), states[:])
			if errors.Is(err, ErrMixedUp) {
				mixedUp++
			} else if err != nil || states[0] != core.Claimed {
				t.Errorf("the claim of a free key is answered %v, %v", states, err)
			}
		}
	}
	t.Logf("%d of %d answers were to another call", mixedUp, rounds*calls)
}

// ask sends a claim over a connection of its own.
func (s overHTTP) ask(t *testing.T, token core.Token, key core.Key) net.Conn {
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	body := s.AppendClaim(nil, token, []core.Key{key}, time.Hour)
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	return conn
}

func bodyFrom(conn net.Conn) []byte {
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return body
}

// TestServerSays: what servers say when they can't, or won't.
func TestServerSays(t *testing.T) {
	redis := hosts.StartRedis(t)
	for api, address := range map[string]string{
		"webdis": hosts.StartWebdis(t, redis.Address).Address, "upstash": hosts.StartUpstash(t, redis, "t0ken"),
	} {
		t.Run(api, func(t *testing.T) {
			redis.Ask(t, "FLUSHALL")
			s := overHTTP{New(core.HTTPStore{API: api, Token: "t0ken", Prefix: "p:"}), address, 1}
			token, keys, states := storetest.NewToken(1), []core.Key{storetest.NewKey(1), storetest.NewKey(2)}, make([]core.State, 2)
			claim := func() error { return s.Claim(t.Context(), token, keys, time.Hour, states) }

			redis.Ask(t, "RPUSH", "p:"+hexOf(keys[0]), "another's")
			if err := claim(); err != nil || states[0] != core.Unknown || states[1] != core.Claimed {
				t.Errorf("claim beside a list = %v, %v", states, err)
			}
			if err := s.Commit(t.Context(), token, keys, time.Hour); err != nil || redis.Ask(t, "GET", "p:"+hexOf(keys[1])) != "d" {
				t.Errorf("commit beside a list: %v", err)
			}

			redis.Ask(t, "FLUSHALL")
			if err := s.Claim(t.Context(), token, keys[:1], time.Hour, states[:1]); err != nil {
				t.Fatal(err)
			}
			redis.Ask(t, "CONFIG", "SET", "maxmemory", "1")
			var refused Refused
			if err := claim(); !errors.As(err, &refused) || !strings.HasPrefix(string(refused), "OOM") || strings.Contains(err.Error(), "EVAL") {
				t.Errorf("claim in a full server: %v, want it refused as OOM", err)
			}
			if redis.Ask(t, "EXISTS", "p:"+hexOf(keys[1])) != ":0" {
				t.Error("a refused claim has claimed")
			}
			if err := s.Commit(t.Context(), token, keys[:1], time.Hour); err != nil || redis.Ask(t, "GET", "p:"+hexOf(keys[0])) != "d" {
				t.Errorf("commit in a full server: %v, want it taken", err)
			}
			redis.Ask(t, "CONFIG", "SET", "maxmemory", "0")
		})
	}
	wrong := overHTTP{New(core.HTTPStore{API: "upstash", Token: "wrong"}), hosts.StartUpstash(t, redis, "t0ken"), 1}
	if err := wrong.Release(t.Context(), core.Token{}, nil); !errors.Is(err, ErrToken) {
		t.Errorf("with a wrong token: %v", err)
	}
}

func hexOf(key core.Key) string { return fmt.Sprintf("%x", key[:]) }

package redis

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/hookward/hookward/core"
)

// done is the value of a key that is done.
const done = "d"

func pendingValue(token core.Token) string {
	var text [1 + 2*len(token)]byte
	text[0] = 'p'
	hex.Encode(text[1:], token[:])
	return string(text[:])
}

func (s *Store) keyName(key core.Key) string {
	name := make([]byte, 0, 64)
	name = append(name, s.options.Prefix...)
	return string(hex.AppendEncode(name, key[:]))
}

// op is what settles a claim, or prolongs it.
type op uint8

const (
	commit op = iota
	release
	renew
)

// scripts have the key's name in KEYS[1], the caller's pending value in ARGV[1]
// and milliseconds in ARGV[2]. They go as text with every call: a server that
// was restarted or promoted meanwhile needs no second round trip. A full server
// takes a commit all the same (allow-oom): it makes the value smaller.
var scripts = [...]string{
	commit: `#!lua flags=allow-oom
local v = redis.call('GET', KEYS[1])
if not v or v == ARGV[1] then redis.call('SET', KEYS[1], 'd', 'PX', ARGV[2]) end
return 1`,
	release: `#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1`,
	renew: `#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`,
}

// settlement is one operation on one key that a token holds.
type settlement struct {
	op    op
	token core.Token
	key   core.Key
	time  time.Duration // the window or the lease
	again bool          // to be repeated a little later, even if it succeeds
}

func (x settlement) command(c *connected, name string) rueidis.Completed {
	return c.B().Eval().Script(scripts[x.op]).Numkeys(1).Key(name).
		Arg(pendingValue(x.token), strconv.FormatInt(milliseconds(x.time), 10)).Build()
}

// milliseconds rounds up: 0 would be an error to the server.
func milliseconds(d time.Duration) int64 {
	return max(1, int64((d+time.Millisecond-1)/time.Millisecond))
}

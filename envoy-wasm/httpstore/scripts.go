package httpstore

import (
	"errors"

	"github.com/hookward/hookward/core"
)

// claimScript has the pending value in ARGV[1] and the lease in ARGV[2]. It
// answers c for what is the caller's now, d for what is done, p for what
// another holds; where there is such a one the delivery must wait, so the rest
// is left as it is, and answered u.
const claimScript = `local free, found = {}, {}
local wait = false
for i, key in ipairs(KEYS) do
local v = redis.call('GET', key)
if v == 'd' then found[i] = 'd'
elseif v and v ~= ARGV[1] then found[i] = 'p' wait = true
else found[i] = 'u' free[#free + 1] = i end
end
if not wait then
for _, i in ipairs(free) do
redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2])
found[i] = 'c'
end
end
return table.concat(found)`

// settleScript has three words for each key: the operation's letter, the
// pending value and milliseconds. A full server takes a commit all the same: it
// refuses a script's first write only, and DEL it never refuses.
const settleScript = `for i, key in ipairs(KEYS) do
local op, mine, ms = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
local v = redis.pcall('GET', key)
if op == 'c' then
if not v or v == mine then
redis.call('DEL', key)
redis.call('SET', key, 'd', 'PX', ms)
end
elseif v == mine then
if op == 'r' then redis.call('DEL', key) else redis.call('PEXPIRE', key, ms) end
end
end
return 'k'`

// errTorn is an answer that has letters which no script of ours gives.
var errTorn = errors.New("http: the answer has letters that are not ours")

var states = map[byte]core.State{'c': core.Claimed, 'd': core.Done, 'p': core.Pending, 'u': core.Unknown}

// ReadClaim writes the answer for each key to states, as the Redis store of
// Caddy does but for one thing: beside a pending key, a free one is left free
// and core.Unknown. With an error every state is core.Unknown.
func (c *Client) ReadClaim(status string, body []byte, to []core.State) error {
	letters, err := c.form.letters(status, body, len(to))
	clear(to)
	if err != nil {
		return err
	}
	for i, letter := range letters {
		state, known := states[letter]
		if !known {
			clear(to)
			return errTorn
		}
		to[i] = state
	}
	return nil
}

// ReadSettle says whether settlements have been carried out.
func (c *Client) ReadSettle(status string, body []byte) error {
	letters, err := c.form.letters(status, body, 1)
	if err == nil && letters[0] != 'k' {
		err = errTorn
	}
	return err
}

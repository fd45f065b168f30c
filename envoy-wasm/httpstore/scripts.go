package httpstore

import (
	"errors"

	"github.com/hookward/hookward/core"
)

// Every answer begins with the name of the call that it is for: webdis hands
// the answer to a request that was given up to whoever connects next.

// claimScript has the pending value in ARGV[1], which names the call, and the
// lease in ARGV[2]. For each key it answers c for what is the caller's now, p
// for what another holds, d for what is done, and x for what is no claim at all.
const claimScript = `local found = {}
for i, key in ipairs(KEYS) do
local v = redis.pcall('GET', key)
if type(v) == 'table' then found[i] = 'x'
elseif v == 'd' then found[i] = 'd'
elseif v and v ~= ARGV[1] then found[i] = 'p'
else
redis.call('SET', key, ARGV[1], 'PX', ARGV[2])
found[i] = 'c'
end
end
return ARGV[1] .. table.concat(found)`

// settleScript has three words for each key: the operation's letter, the
// pending value and milliseconds; and last the name of the call. A full server takes a commit all the same: it
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
return ARGV[#ARGV]`

// errTorn is an answer that has letters which no script of ours gives.
var errTorn = errors.New("http: the answer has letters that are not ours")

var stateOf = map[byte]core.State{'c': core.Claimed, 'd': core.Done, 'p': core.Pending, 'x': core.Unknown}

// ReadClaim writes the answer to a claim of the token's for each key to states.
// With an error every state is core.Unknown.
func (c *Client) ReadClaim(token core.Token, status string, body []byte, states []core.State) error {
	letters, err := c.form.letters(status, body, pending(&token), len(states))
	clear(states)
	if err != nil {
		return err
	}
	for i, letter := range letters {
		state, known := stateOf[letter]
		if !known {
			clear(states)
			return errTorn
		}
		states[i] = state
	}
	return nil
}

// ReadSettle says whether the settlements of a call have been carried out.
func (c *Client) ReadSettle(call core.Token, status string, body []byte) error {
	_, err := c.form.letters(status, body, pending(&call), 0)
	return err
}

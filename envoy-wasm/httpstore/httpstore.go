// Package httpstore keeps claims in Redis that is reached over HTTP, through
// webdis or in the form of Upstash's REST API. It writes commands, reads
// answers and remembers what is still to be settled; whoever uses it carries
// the bytes.
//
// # Keys and values
//
// They are those of Caddy's redis store, whose package comment is their
// definition, so that Caddy and Envoy share claims:
//
//	key     <prefix><the core.Key in 32 lower-case hex digits>
//	value   "p<the core.Token in 32 hex digits>" while pending, "d" when done
//	expiry  what is left of the lease, or of the window
//
// All keys of a delivery travel in one script, which answers with one letter
// for each. A script runs on one server: a Cluster would want all its keys in
// one slot, so that a single server, or a proxy that looks like one, is meant.
package httpstore

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/hookward/hookward/core"
	"github.com/hookward/hookward/core/hex"
)

// Client writes commands to one server and reads its answers. It does not
// change.
type Client struct {
	form          form
	prefix        string
	claim, settle []byte // EVAL and the script, written once
	header        [][2]string
}

// New is a client for a configuration that core.ParseHTTPStore has read.
func New(c core.HTTPStore) *Client {
	cl := &Client{form: forms[c.API], prefix: c.Prefix}
	cl.claim = cl.form.word(cl.form.first(nil, "EVAL"), claimScript)
	cl.settle = cl.form.word(cl.form.first(nil, "EVAL"), settleScript)
	cl.header = [][2]string{
		{":method", "POST"}, {":path", "/"}, {":authority", c.Cluster}, {"content-type", cl.form.contentType},
	}
	if c.Token != "" {
		cl.header = append(cl.header, [2]string{"authorization", cl.form.credentials(c.Token)})
	}
	return cl
}

// Header is the header of every call.
func (c *Client) Header() [][2]string { return c.header }

// AppendClaim appends the body of a call that claims every key for token until
// lease has passed.
func (c *Client) AppendClaim(b []byte, token core.Token, keys []core.Key, lease time.Duration) []byte {
	b = append(b, c.claim...)
	b = c.form.word(b, strconv.Itoa(len(keys)))
	for i := range keys {
		b = c.key(b, &keys[i])
	}
	b = c.form.word(b, pending(&token))
	return c.form.end(c.form.word(b, milliseconds(lease)))
}

// AppendSettle appends the body of a call that carries out settlements, or none
// to see whether the server answers. A token that no other has names the call.
func (c *Client) AppendSettle(b []byte, call core.Token, all []Settlement) []byte {
	b = append(b, c.settle...)
	b = c.form.word(b, strconv.Itoa(len(all)))
	for i := range all {
		b = c.key(b, &all[i].Key)
	}
	for i := range all {
		x := &all[i]
		b = c.form.word(b, x.Op.letter())
		b = c.form.word(b, pending(&x.Token))
		b = c.form.word(b, milliseconds(x.Time))
	}
	return c.form.end(c.form.word(b, pending(&call)))
}

func (c *Client) key(b []byte, key *core.Key) []byte {
	var name [160]byte
	return c.form.word(b, string(hex.AppendEncode(append(name[:0], c.prefix...), key[:])))
}

func pending(token *core.Token) string {
	var text [1 + 2*len(token)]byte
	text[0] = 'p'
	hex.Encode(text[1:], token[:])
	return string(text[:])
}

// milliseconds rounds up: 0 would be an error to the server.
func milliseconds(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Millisecond-1)/time.Millisecond)), 10)
}

func basic(token string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(token)) }

func bearer(token string) string { return "Bearer " + token }

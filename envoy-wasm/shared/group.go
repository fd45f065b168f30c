package shared

import (
	"bytes"
	"encoding/binary"

	"github.com/hookward/hookward/core"
)

// A group is written as a mark and then its claims, each 40 bytes: the key, the
// token of who holds it (zeros once it is done), and the time in milliseconds
// at which it ends, with the highest bit set if it is done. Done claims stand in
// the order in which they became done.
type group struct {
	text []byte
}

const (
	mark      = "hwc1"
	keySize   = 16
	tokenSize = 16
	claimSize = keySize + tokenSize + 8

	doneBit = 1 << 63
	// latest is beyond any end: what is greater was not written here.
	latest = 1 << 48
)

type operation uint8

const (
	claim operation = iota
	commit
	release
	renew
)

// look drops the claims that have ended by now, and finds a key among the rest,
// at -1 if it is not there. It is false if no store has written the group. All
// of it is one pass over the bytes: it is what a claim costs.
func (g *group) look(key core.Key, limit int, now int64) (at int, ok bool) {
	if g.text == nil {
		g.text = []byte(mark)
		return -1, true
	}
	claims, ok := bytes.CutPrefix(g.text, []byte(mark))
	if !ok || len(claims)%claimSize != 0 || len(claims) > limit*claimSize {
		return -1, false
	}
	at = -1
	first, second := binary.LittleEndian.Uint64(key[:]), binary.LittleEndian.Uint64(key[8:])
	kept := 0
	for ; len(claims) >= claimSize; claims = claims[claimSize:] {
		end := endOf(claims) &^ doneBit
		switch {
		case end > latest:
			return -1, false
		case int64(end) <= now:
			continue
		case binary.LittleEndian.Uint64(claims) == first && binary.LittleEndian.Uint64(claims[8:]) == second:
			at = kept
		}
		if to := g.at(kept); &to[0] != &claims[0] {
			copy(to, claims)
		}
		kept++
	}
	g.text = g.text[:len(mark)+kept*claimSize]
	return at, true
}

func (g *group) count() int { return len(g.text) / claimSize }

// at is the i-th claim.
func (g *group) at(i int) []byte { return g.text[len(mark)+i*claimSize:][:claimSize] }

func endOf(claim []byte) uint64 { return binary.LittleEndian.Uint64(claim[keySize+tokenSize:]) }
func isDone(claim []byte) bool  { return endOf(claim)&doneBit != 0 }

// apply does an operation in memory. Its state is an answer to a claim.
// The key's claim is at i, which is negative if there is none.
func (g *group) apply(o operation, i int, token core.Token, key core.Key, end int64, limit int) (state core.State, changed bool, evicted int, err error) {
	switch {
	case i >= 0 && isDone(g.at(i)):
		return core.Done, false, 0, nil
	case i >= 0 && !bytes.Equal(g.at(i)[keySize:][:tokenSize], token[:]):
		return core.Pending, false, 0, nil
	case i < 0 && (o == release || o == renew):
		return core.Unknown, false, 0, nil
	}
	if i >= 0 {
		g.remove(i)
	} else if g.count() >= limit {
		if !g.evict() {
			return core.Unknown, false, 0, ErrFull
		}
		evicted = 1
	}
	switch o {
	case claim, renew:
		g.add(key, token, uint64(end))
	case commit:
		g.add(key, core.Token{}, uint64(end)|doneBit)
	}
	return core.Claimed, true, evicted, nil
}

func (g *group) remove(i int) {
	at := len(mark) + i*claimSize
	g.text = append(g.text[:at], g.text[at+claimSize:]...)
}

func (g *group) add(key core.Key, token core.Token, end uint64) {
	g.text = append(append(g.text, key[:]...), token[:]...)
	g.text = binary.LittleEndian.AppendUint64(g.text, end)
}

// evict gives up the claim that has been done for longest.
func (g *group) evict() bool {
	for i := range g.count() {
		if isDone(g.at(i)) {
			g.remove(i)
			return true
		}
	}
	return false
}

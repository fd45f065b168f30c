package disk

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"time"

	"github.com/hookward/hookward/core"
)

// op is what was done to a key. There is no 0: a file that lost its end may
// have zeros there.
type op uint8

const (
	opClaim op = iota + 1
	opCommit
	opRelease
	opRenew
)

// record is one operation on one key. In the file:
//
//	bytes  0- 3  CRC-32C of the others
//	       4     op
//	       5- 9  lease or window in milliseconds
//	      10-15  the time in milliseconds since 1970
//	      16-31  token
//	      32-47  key
//
// all little-endian. One size for all lets the reader find its way again behind
// a record that is damaged.
type record struct {
	op    op
	at    time.Time
	time  time.Duration
	token core.Token
	key   core.Key
}

const recordSize = 48

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (r record) append(to []byte) []byte {
	var b [recordSize]byte
	put(b[5:10], roundUp(r.time))
	put(b[10:16], uint64(r.at.UnixMilli()))
	b[4] = byte(r.op)
	copy(b[16:], r.token[:])
	copy(b[32:], r.key[:])
	binary.LittleEndian.PutUint32(b[:], crc32.Checksum(b[4:], castagnoli))
	return append(to, b[:]...)
}

// readRecord reports false for one that is damaged.
func readRecord(b []byte) (record, bool) {
	if binary.LittleEndian.Uint32(b) != crc32.Checksum(b[4:recordSize], castagnoli) {
		return record{}, false
	}
	r := record{
		op:    op(b[4]),
		time:  time.Duration(min(get(b[5:10]), math.MaxInt64/uint64(time.Millisecond))) * time.Millisecond,
		at:    time.UnixMilli(int64(get(b[10:16]))),
		token: core.Token(b[16:32]),
		key:   core.Key(b[32:48]),
	}
	return r, r.op >= opClaim && r.op <= opRenew
}

// roundUp is a duration in milliseconds, at most 34 years.
func roundUp(d time.Duration) uint64 {
	ms := (max(d, 0) / time.Millisecond)
	if d%time.Millisecond > 0 {
		ms++
	}
	return min(uint64(ms), 1<<40-1)
}

func put(b []byte, v uint64) {
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
}

func get(b []byte) (v uint64) {
	for i := range b {
		v |= uint64(b[i]) << (8 * i)
	}
	return v
}

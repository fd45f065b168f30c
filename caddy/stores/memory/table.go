package memory

import (
	"encoding/binary"

	"github.com/hookward/hookward/core"
)

// slot holds one claim and its links, and besides it the head of the bucket
// with the slot's own number. Links are slot numbers. Slot 0 holds no claim, so
// that 0 means none, and is where the done queue begins and ends.
type slot struct {
	key   core.Key
	token core.Token // whose claim it is while pending

	bucket       uint32 // the first claim in the bucket with this number
	next         uint32 // the next claim in the claim's bucket, or the next free slot
	older, newer uint32 // the neighbours in the done queue
	place        uint32 // where the claim is in its schedule
	state        core.State
}

// table finds slots by key. It is a linear hash table: with each slot comes one
// bucket, filled from one other bucket, so that it grows without ever being
// rebuilt and has at least as many buckets as claims.
type table struct {
	slots slab[slot]
	free  uint32 // the first of the slots that hold no claim
	mask  uint32 // the least power of two that is not below the number of buckets, less one
}

func (t *table) init() { t.slots.grow() }

// find returns the slot of key, or 0.
func (t *table) find(key core.Key) uint32 {
	i := *t.bucket(key)
	for i != 0 {
		c := t.slots.at(i)
		if c.key == key {
			break
		}
		i = c.next
	}
	return i
}

// add returns a slot for key, which the table must not have.
func (t *table) add(key core.Key) uint32 {
	i := t.free
	if i != 0 {
		t.free = t.slots.at(i).next
	} else {
		i = t.grow()
	}
	c, b := t.slots.at(i), t.bucket(key)
	c.key, c.next, *b = key, *b, i
	return i
}

// remove takes slot i, which holds a claim, out of its bucket and frees it.
func (t *table) remove(i uint32) {
	c := t.slots.at(i)
	link := t.bucket(c.key)
	for *link != i {
		link = &t.slots.at(*link).next
	}
	*link = c.next
	c.next, t.free = t.free, i
}

// grow adds a slot and splits the bucket whose keys may belong into the new one.
func (t *table) grow() uint32 {
	n := t.slots.grow()
	if n > t.mask {
		t.mask = t.mask<<1 | 1
	}
	to := &t.slots.at(n).bucket
	link := &t.slots.at(n & (t.mask >> 1)).bucket
	for *link != 0 {
		i := *link
		c := t.slots.at(i)
		if hash(c.key)&t.mask != n {
			link = &c.next
			continue
		}
		*link, c.next, *to = c.next, *to, i
	}
	return n
}

// bucket returns the head of the bucket that key belongs into.
func (t *table) bucket(key core.Key) *uint32 {
	b := hash(key) & t.mask
	if b >= t.slots.len {
		b &= t.mask >> 1 // that bucket is still to come: its keys are in the one it splits from
	}
	return &t.slots.at(b).bucket
}

// hash takes what the choice of a shard left over. Keys are uniform already.
func hash(key core.Key) uint32 {
	return binary.LittleEndian.Uint32(key[4:])
}

package core

// Key names one event's claim in a replay store: the first 16 bytes of a
// SHA-256 over the scope and the identity. A store never learns the identity
// itself, which may hold a phone number.
type Key [16]byte

// Token marks whose claim a pending entry is: random, one for each delivery.
// Without it, a request that outlived its lease could commit or release what
// another request holds by then.
type Token [16]byte

// State is what a replay store answers for one key.
type State uint8

// The zero State refuses: a store that did not answer has not said "new".
const (
	// Unknown: the store gave no answer for this key.
	Unknown State = iota
	// Claimed: the key was free, or pending under the same token, and is now
	// held by the caller's token until the lease ends.
	Claimed
	// Pending: another token holds the key and its lease still runs.
	Pending
	// Done: the event has been delivered and its window has not passed.
	Done
)

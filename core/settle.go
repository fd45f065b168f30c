package core

// Settlement is what becomes of a delivery's claims once the backend has
// answered. The zero Settlement leaves them to the lease.
type Settlement uint8

// The settlements.
const (
	// LeaveToLease: nobody knows whether the backend has worked on it.
	LeaveToLease Settlement = iota
	// Commit: the backend has it; a retry is a duplicate.
	Commit
	// ReleaseClaims: the backend does not have it; a retry is new.
	ReleaseClaims
)

// Settle decides by the status that the backend answered with, 0 for no backend
// to be had, and by whether its answer came to its end. A 1xx is no outcome: the
// answer is still to come, or is in another protocol (101).
func Settle(status int, whole bool) Settlement {
	informational := 100 <= status && status <= 199
	success := 200 <= status && status <= 299
	switch {
	case informational, success && !whole:
		return LeaveToLease
	case success:
		return Commit
	default:
		return ReleaseClaims
	}
}

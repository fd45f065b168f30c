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

// Settle decides by the final status that the backend answered with, 0 for no
// backend to be had, and by whether its answer came to its end.
func Settle(status int, whole bool) Settlement {
	switch {
	case status < 200 || status > 299:
		return ReleaseClaims
	case whole:
		return Commit
	default:
		return LeaveToLease
	}
}

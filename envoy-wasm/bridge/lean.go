package bridge

import "strconv"

// What a filter does for every request goes past the SDK, which allocates for
// every call its variables and a copy: in wasm an allocation is as dear as the
// call itself. What is rare goes by the SDK.

// Failed is a host call's status that is no success.
type Failed uint32

func (f Failed) Error() string { return "the host says " + strconv.Itoa(int(f)) }

// NoHeader is the failure of a header that can't be understood.
const NoHeader = Failed(10)

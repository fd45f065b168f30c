package bridge

import "unsafe"

// The host writes every answer of unknown size into memory that it borrows from us in the middle of the
// host call, and then tells the call where. Between the two nothing in Go refers to that memory, so lent
// does. Host calls nest, because the host may enter a call-back from within one: lent is a stack, and
// every call drops what was lent since it began.
var lent [][]byte

// allocate lends the host size bytes. Address 0 tells the host that there is no memory, and an empty
// slice has no address: there is always at least one byte.
//
//go:wasmexport proxy_on_memory_allocate
func allocate(size uint32) *byte {
	buffer := make([]byte, max(size, 1))
	lent = append(lent, buffer)
	return &buffer[0]
}

// An answer is where a host call leaves the address and the size of its result, both 32 bits wide;
// the SDK's own variables, a pointer and an int, have 64.
//
// It must be on the heap, and is because the imports let their arguments escape: call-backs run on the
// stack of the goroutine that made the host call, and a stack that grows moves away from the
// addresses that the host holds.
type answer struct {
	data, size uint32
	mark       int
}

func newAnswer() *answer {
	return &answer{mark: len(lent)}
}

// take ends the host call that got the answer, and passes its result on to the SDK. It believes an
// address only if it was lent, so that no number from outside ever becomes a Go pointer.
func (a *answer) take(status uint32, data **byte, size *int) uint32 {
	borrowed := lent[a.mark:]
	lent = lent[:a.mark]
	defer clear(borrowed)
	if status != statusOK || a.size == 0 {
		return status
	}
	for _, buffer := range borrowed {
		if address(&buffer[0]) == a.data && uint64(a.size) <= uint64(len(buffer)) {
			*data, *size = &buffer[0], int(a.size)
			return statusOK
		}
	}
	return statusInternalFailure
}

func address(p *byte) uint32 {
	return uint32(uintptr(unsafe.Pointer(p)))
}

// The SDK's statuses that the bridge itself looks at or gives.
const (
	statusOK              = 0
	statusInternalFailure = 10
)

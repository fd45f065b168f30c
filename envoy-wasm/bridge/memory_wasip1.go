package bridge

import "unsafe"

// The host writes every answer of unknown size into memory that it borrows from us in the middle of the
// host call, and then tells the call where. Between the two nothing in Go refers to that memory, so lent
// does. Host calls nest, because the host may enter a call-back from within one: lent is a stack, and
// every call drops what was lent since it began.
var lent [][]byte

// room is memory for the answer that is asked for next, if that fits into it: a call that is done with
// its answer at once lends the same memory every time.
var room []byte

// allocate lends the host size bytes. Address 0 tells the host that there is no memory, and an empty
// slice has no address: there is always at least one byte.
//
//go:wasmexport proxy_on_memory_allocate
func allocate(size uint32) *byte {
	size = max(size, 1)
	buffer := room
	if room = nil; uint64(size) <= uint64(len(buffer)) {
		buffer = buffer[:size]
	} else {
		buffer = make([]byte, size)
	}
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
	version    uint32 // of shared data
	mark       int
}

// unused are answers that no call waits for.
var unused []*answer

func newAnswer() *answer {
	n := len(unused)
	if n == 0 {
		return &answer{mark: len(lent)}
	}
	a := unused[n-1]
	unused = unused[:n-1]
	*a = answer{mark: len(lent)}
	return a
}

// take passes the answer on to the SDK.
func (a *answer) take(status uint32, data **byte, size *int) uint32 {
	result, status := a.end(status)
	if len(result) > 0 {
		*data, *size = &result[0], len(result)
	}
	return status
}

// end ends the host call that got the answer. It believes an address only if it was lent, so that no
// number from outside ever becomes a Go pointer.
func (a *answer) end(status uint32) (result []byte, _ uint32) {
	borrowed := lent[a.mark:]
	if status == statusOK && a.size > 0 {
		if result = a.find(borrowed); result == nil {
			status = statusInternalFailure
		}
	}
	clear(borrowed)
	lent, unused, room = lent[:a.mark], append(unused, a), nil
	return result, status
}

func (a *answer) find(borrowed [][]byte) []byte {
	for _, buffer := range borrowed {
		if address(&buffer[0]) == a.data && uint64(a.size) <= uint64(len(buffer)) {
			return buffer[:a.size]
		}
	}
	return nil
}

func address(p *byte) uint32 {
	return uint32(uintptr(unsafe.Pointer(p)))
}

// The SDK's statuses that the bridge itself looks at or gives.
const (
	statusOK              = 0
	statusInternalFailure = 10
)

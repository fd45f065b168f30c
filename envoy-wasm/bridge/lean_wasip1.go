package bridge

import (
	"encoding/binary"
	"strconv"
	"time"
	"unsafe"
)

// The kinds and statuses that the calls here use.
const (
	requestBody     = 0
	requestHeaders  = 0
	responseHeaders = 2

	statusNotFound    = 1
	statusCasMismatch = 8
)

//go:wasmimport wasi_snapshot_preview1 clock_time_get
func wasiClockTimeGet(clock uint32, precision uint64, nanoseconds *uint64) uint32

var clock uint64

// Now is the time, by one host call where time.Now makes two.
func Now() time.Time {
	const realtime = 0
	if wasiClockTimeGet(realtime, 1, &clock) != 0 {
		return time.Now()
	}
	return time.Unix(0, int64(clock))
}

// RequestHeaders appends the request's header fields to fields.
func RequestHeaders(fields [][2]string) ([][2]string, error) {
	a := newAnswer()
	pairs, status := a.end(proxyGetHeaderMapPairs(requestHeaders, &a.data, &a.size))
	if status != statusOK {
		return nil, Failed(status)
	}
	if fields = appendFields(fields, pairs); fields == nil {
		return nil, NoHeader
	}
	return fields, nil
}

// appendFields reads fields as the ABI writes them: how many there are, the
// sizes of all names and values, and then each of them with a zero byte after
// it. It gives nil for what is not written so.
func appendFields(fields [][2]string, b []byte) [][2]string {
	if len(b) < 4 {
		return nil
	}
	n := uint64(binary.LittleEndian.Uint32(b))
	if uint64(len(b)) < 4+8*n {
		return nil
	}
	sizes, texts := b[4:4+8*n], b[4+8*n:]
	for ; len(sizes) > 0; sizes = sizes[8:] {
		name, value := uint64(binary.LittleEndian.Uint32(sizes)), uint64(binary.LittleEndian.Uint32(sizes[4:]))
		if uint64(len(texts)) < name+value+2 {
			return nil
		}
		fields = append(fields, [2]string{
			unsafe.String(&texts[0], name), unsafe.String(&texts[name+1], value),
		})
		texts = texts[name+value+2:]
	}
	return fields
}

var written []byte // memory, used again

// SetRequestHeaders replaces the request's header.
func SetRequestHeaders(fields [][2]string) error {
	b := binary.LittleEndian.AppendUint32(written[:0], uint32(len(fields)))
	for i := range fields {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(fields[i][0])))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(fields[i][1])))
	}
	for i := range fields {
		b = append(append(b, fields[i][0]...), 0)
		b = append(append(b, fields[i][1]...), 0)
	}
	written = b
	return failure(proxySetHeaderMapPairs(requestHeaders, &b[0], uint32(len(b))))
}

// RequestBody is the first size bytes of the request's body.
func RequestBody(size int) ([]byte, error) {
	a := newAnswer()
	body, status := a.end(proxyGetBufferBytes(requestBody, 0, uint32(size), &a.data, &a.size))
	return body, failure(status)
}

var short [64]byte // room for a number

// ResponseStatus is the answer's status.
func ResponseStatus() (int, error) {
	const name = ":status"
	a := newAnswer()
	room = short[:]
	text, status := a.end(proxyGetHeaderMapValue(responseHeaders, unsafe.StringData(name), uint32(len(name)), &a.data, &a.size))
	if status != statusOK {
		return 0, Failed(status)
	}
	return strconv.Atoi(unsafe.String(unsafe.SliceData(text), len(text)))
}

// Property is a property's value, which is there until the next call. The parts
// of its path are separated by zero bytes.
func Property(path string) (value []byte, ok bool) {
	a := newAnswer()
	room = short[:]
	value, status := a.end(proxyGetProperty(unsafe.StringData(path), uint32(len(path)), &a.data, &a.size))
	return value, status == statusOK
}

var data = make([]byte, 4<<10) // memory, used again

// SharedData is the value of a key and its version, and nil where there is none.
// The value may be changed, and is there until the next call.
func SharedData(key string) (value []byte, version uint32, err error) {
	a := newAnswer()
	room = data
	value, status := a.end(proxyGetSharedData(unsafe.StringData(key), uint32(len(key)), &a.data, &a.size, &a.version))
	switch {
	case status == statusNotFound:
		return nil, 0, nil
	case status != statusOK:
		return nil, 0, Failed(status)
	case value == nil:
		value = []byte{} // it is there, and empty
	}
	return value, a.version, nil
}

// SetSharedData replaces the value of a key if the version is still current.
func SetSharedData(key string, value []byte, version uint32) (stored bool, err error) {
	status := proxySetSharedData(unsafe.StringData(key), uint32(len(key)), unsafe.SliceData(value), uint32(len(value)), version)
	if status == statusCasMismatch {
		return false, nil
	}
	return status == statusOK, failure(status)
}

func failure(status uint32) error {
	if status == statusOK {
		return nil
	}
	return Failed(status)
}

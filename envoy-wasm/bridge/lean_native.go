//go:build !wasip1

package bridge

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

// Now is the time.
func Now() time.Time { return time.Now() }

// RequestHeaders appends the request's header fields to fields.
func RequestHeaders(fields [][2]string) ([][2]string, error) {
	all, err := proxywasm.GetHttpRequestHeaders()
	return append(fields, all...), err
}

// SetRequestHeaders replaces the request's header.
func SetRequestHeaders(fields [][2]string) error { return proxywasm.ReplaceHttpRequestHeaders(fields) }

// RequestBody is the first size bytes of the request's body.
func RequestBody(size int) ([]byte, error) { return proxywasm.GetHttpRequestBody(0, size) }

// ResponseStatus is the answer's status.
func ResponseStatus() (int, error) {
	text, err := proxywasm.GetHttpResponseHeader(":status")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// Property is a property's value, which is there until the next call. The parts
// of its path are separated by zero bytes.
func Property(path string) (value []byte, ok bool) {
	value, err := proxywasm.GetProperty(strings.Split(path, "\x00"))
	return value, err == nil
}

// SharedData is the value of a key and its version, and nil where there is none.
// The value may be changed, and is there until the next call.
func SharedData(key string) (value []byte, version uint32, err error) {
	value, version, err = proxywasm.GetSharedData(key)
	switch {
	case errors.Is(err, types.ErrorStatusNotFound):
		return nil, 0, nil
	case err == nil && value == nil:
		value = []byte{}
	}
	return value, version, err
}

// SetSharedData replaces the value of a key if the version is still current.
func SetSharedData(key string, value []byte, version uint32) (stored bool, err error) {
	err = proxywasm.SetSharedData(key, value, version)
	if errors.Is(err, types.ErrorStatusCasMismatch) {
		return false, nil
	}
	return err == nil, err
}

//go:build !wasip1

package bridge

import "crypto/rand"

// Random fills p with secure random bytes and reports whether it could; if not, p must not be used.
func Random(p []byte) bool {
	_, err := rand.Read(p)
	return err == nil
}

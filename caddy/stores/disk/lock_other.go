//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package disk

import (
	"errors"
	"os"
)

// lockFile refuses: without a lock, two processes would write one file.
func lockFile(string) (*os.File, error) {
	return nil, errors.New("this system has no file locks that end with the process: use store memory or redis")
}

package disk

import (
	"errors"
	"os"
	"syscall"
)

var errInUse = errors.New("another process has it open: give each Caddy a path of its own, or use store redis")

const sharingViolation = syscall.Errno(32)

// lockFile opens a file that no other process may open until it is closed or
// the process ends.
func lockFile(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	const shareNothing = 0
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, shareNothing, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		if errors.Is(err, sharingViolation) {
			err = errInUse
		}
		return nil, err
	}
	return os.NewFile(uintptr(handle), path), nil
}

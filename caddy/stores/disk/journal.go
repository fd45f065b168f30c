package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// header opens every file; the last figure is the version of its form.
const header = "hookward claims, version 1; do not edit while in use\n"

// journal is a file of records that are only ever added.
type journal struct {
	path    string
	file    *os.File // nil after reopening failed
	size    int64    // of the header and all whole records
	records int
	torn    bool // a piece of a record may lie behind size
}

const appending = os.O_WRONLY | os.O_APPEND

func createJournal(path string) (*journal, error) {
	file, err := os.OpenFile(path, appending|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{path: path, file: file}
	return j, j.write([]byte(header))
}

func (j *journal) append(records []byte) error {
	if err := j.write(records); err != nil {
		return err
	}
	j.records += len(records) / recordSize
	return nil
}

// write adds all of data or nothing, as far as the disk obeys.
func (j *journal) write(data []byte) error {
	if err := j.ready(); err != nil {
		return err
	}
	if _, err := j.file.Write(data); err != nil {
		j.torn = true
		return errors.Join(err, j.mend())
	}
	j.size += int64(len(data))
	return nil
}

func (j *journal) ready() (err error) {
	if j.file == nil {
		if j.file, err = os.OpenFile(j.path, appending, 0o600); err != nil {
			j.file = nil
			return err
		}
	}
	return j.mend()
}

// mend cuts off the piece of a record that a full disk had room for.
func (j *journal) mend() error {
	if !j.torn {
		return nil
	}
	if err := j.file.Truncate(j.size); err != nil {
		return fmt.Errorf("cutting off half a record: %w", err)
	}
	j.torn = false
	return nil
}

// become puts another file in this one's place. Both are closed for it, which
// some systems ask for.
func (j *journal) become(fresh *journal) error {
	if err := errors.Join(fresh.close(), j.close()); err != nil {
		return err
	}
	if err := os.Rename(fresh.path, j.path); err != nil {
		return errors.Join(err, j.ready())
	}
	j.size, j.records, j.torn = fresh.size, fresh.records, fresh.torn
	return errors.Join(syncFolder(j.path), j.ready())
}

func (j *journal) sync() error {
	if j.file == nil {
		return nil
	}
	return j.file.Sync()
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}

// syncFolder makes a new name in the folder last.
func syncFolder(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil // it can't be opened on every system
	}
	_ = folder.Sync()
	return folder.Close()
}

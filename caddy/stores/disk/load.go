package disk

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"go.uber.org/zap"

	"github.com/hookward/hookward/core"
)

// load carries out what the file says, and opens it for more.
func (s *Store) load(path string) (*journal, error) {
	found, err := s.read(path)
	s.clock.again = time.Time{}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return createJournal(path)
	case err != nil:
		return nil, err
	case found.damaged():
		return s.setAside(path, found)
	}
	j := &journal{path: path, size: found.size, records: found.good, torn: found.tail > 0}
	if found.tail > 0 {
		s.log.Warn("disk store: the end of the file is cut off, since it was not written whole before a crash",
			zap.String("path", path), zap.Int64("bytes", found.tail))
	}
	return j, j.ready()
}

// contents is what a file was found to hold.
type contents struct {
	foreign bool  // it does not begin as it should
	good    int   // records
	bad     int   // damaged ones with a good one behind them
	tail    int64 // bytes behind the last good record
	size    int64 // of all before
}

func (c contents) damaged() bool { return c.foreign || c.bad > 0 }

// read carries out all records that are whole. Damaged ones at the very end are
// what a crash leaves; damaged ones before a good one are not.
func (s *Store) read(path string) (found contents, err error) {
	file, err := os.Open(path)
	if err != nil {
		return found, err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 1<<20)
	start := make([]byte, len(header))
	switch n, err := io.ReadFull(in, start); {
	case string(start[:n]) != header[:n]:
		found.foreign = true
		return found, nil
	case readError(err) != nil:
		return found, err
	case err != nil: // a crash came before there was anything in it
		return found, fs.ErrNotExist
	}
	found.size = int64(len(header))
	var b [recordSize]byte
	for doubtful := 0; ; {
		n, err := io.ReadFull(in, b[:])
		if err != nil {
			found.tail += int64(n)
			return found, readError(err)
		}
		r, ok := readRecord(b[:])
		if !ok {
			doubtful++
			found.tail += recordSize
			continue
		}
		s.again(r)
		found.good++
		found.bad += doubtful
		found.size += found.tail + recordSize
		doubtful, found.tail = 0, 0
	}
}

// readError is nil for the end of the file.
func readError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// again carries out an operation at the time when it was done first.
func (s *Store) again(r record) {
	s.clock.again = r.at
	ctx, keys := context.Background(), []core.Key{r.key}
	switch r.op { // errors were told when it was done first
	case opClaim:
		var state [1]core.State
		_ = s.Store.Claim(ctx, r.token, keys, r.time, state[:])
	case opCommit:
		_ = s.Store.Commit(ctx, r.token, keys, r.time)
	case opRelease:
		_ = s.Store.Release(ctx, r.token, keys)
	case opRenew:
		_ = s.Store.Renew(ctx, r.token, keys, r.time)
	}
}

// setAside renames a damaged file, for whoever wants to know why, and begins a
// new one with what could be read.
func (s *Store) setAside(path string, found contents) (*journal, error) {
	aside := path + ".corrupt-" + s.clock.now().UTC().Format("20060102T150405.000Z")
	if err := os.Rename(path, aside); err != nil {
		return nil, fmt.Errorf("setting a damaged file aside: %w", err)
	}
	s.log.Error("disk store: the file is damaged and set aside; claims that could not be read are forgotten, and duplicates of their events may pass",
		zap.String("path", path), zap.String("set_aside", aside),
		zap.Int("records_read", found.good), zap.Int("records_damaged", found.bad), zap.Bool("not_ours", found.foreign))
	fresh, err := s.rewrite(path + ".new")
	if err != nil {
		return nil, err
	}
	j := &journal{path: path}
	return j, j.become(fresh)
}

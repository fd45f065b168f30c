// Package disk keeps claims in memory and writes every change to a file, from
// which they come back after a restart or a crash.
//
// A commit or a release answers when the operating system has it: it survives
// the process being killed at any moment. A claim follows within 10 ms, or with
// the next commit; killed in between, it is forgotten with what had hardly begun.
// The file is not flushed to the platter with each change, so that a machine
// that loses its power may forget the last seconds.
//
// The file is a log of operations, each with its time, which are carried out
// again when it is opened. When more of it is history than present it is
// written anew, beside the calls. It takes up to about 100 bytes for each claim
// held and 3 MB, and half as much again while it is written anew.
//
// An embedded database would have to be asked within the call, or be behind it:
// of those measured bbolt took 30 to 50 µs for a claim and its commit and
// badger 9 to 13, where a whole request has 60; pebble forgot what it had not
// synced when it was killed. Two lines in a log take less than 2.
package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/hookward/hookward/caddy/stores"
	"github.com/hookward/hookward/caddy/stores/memory"
	"github.com/hookward/hookward/core"
)

var _ stores.Store = (*Store)(nil)

// Store is a replay store in memory with a file behind it. Limits and counters
// are those of the memory.
type Store struct {
	*memory.Store
	clock *clock
	log   *zap.Logger
	lock  *os.File

	mu      sync.Mutex
	file    *journal
	waiting []byte // records that are not in the file yet
	soon    bool   // they will be written in a moment
	failing bool   // they could not be written
	tail    []byte // records made since compaction began, nil while there is none
	work    sync.WaitGroup
	closing atomic.Bool
}

// Open opens the file at path, or makes it, for at most maxClaims claims. A file
// that is damaged is set aside under another name, with an error in the log; what
// could be read of it is kept. It is an error if another process has it open.
func Open(path string, maxClaims int, log *zap.Logger) (*Store, error) {
	return OpenWithClock(path, maxClaims, log, time.Now)
}

// OpenWithClock is Open with a clock of the caller's.
func OpenWithClock(path string, maxClaims int, log *zap.Logger, now func() time.Time) (*Store, error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("disk store %s: %w", path, err)
	}
	s := &Store{clock: newClock(now), log: log, lock: lock}
	s.Store = memory.NewWithClock(maxClaims, s.clock.now)
	if s.file, err = s.load(path); err != nil {
		return nil, errors.Join(fmt.Errorf("disk store: %w", err), lock.Close())
	}
	return s, nil
}

// Claim implements stores.Store. While the file can't be written nothing is
// claimed.
func (s *Store) Claim(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration, states []core.State) error {
	if err := s.Store.Claim(ctx, token, keys, lease, states); err != nil {
		// It gave up claims in vain and released what it had: so it must again.
		return errors.Join(err,
			s.write(opClaim, token, keys, lease, all),
			s.write(opRelease, token, keys, 0, all))
	}
	err := s.write(opClaim, token, keys, lease, func(i int) bool { return states[i] == core.Claimed })
	if err != nil {
		_ = s.Store.Release(ctx, token, keys)
		clear(states)
	}
	return err
}

// Commit implements stores.Store. With an error in writing, the keys are done,
// and written with the next operation that can be.
func (s *Store) Commit(ctx context.Context, token core.Token, keys []core.Key, window time.Duration) error {
	return errors.Join(
		s.Store.Commit(ctx, token, keys, window),
		s.write(opCommit, token, keys, window, all))
}

// Release implements stores.Store.
func (s *Store) Release(ctx context.Context, token core.Token, keys []core.Key) error {
	return errors.Join(
		s.Store.Release(ctx, token, keys),
		s.write(opRelease, token, keys, 0, all))
}

// Renew implements stores.Store.
func (s *Store) Renew(ctx context.Context, token core.Token, keys []core.Key, lease time.Duration) error {
	return errors.Join(
		s.Store.Renew(ctx, token, keys, lease),
		s.write(opRenew, token, keys, lease, all))
}

func all(int) bool { return true }

var errClosed = errors.New("disk store: closed")

// Close flushes the file and lets another process open it.
func (s *Store) Close() error {
	s.closing.Store(true)
	s.work.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.flush(), s.file.sync(), s.file.close(), s.lock.Close())
}

// write adds an operation on those of the keys that it concerned. One that ends
// a claim is written before it is answered, with all that came before. One that
// begins or prolongs it is written a moment later, unless the last writing
// failed: to forget it in a crash is to forget what had hardly begun.
func (s *Store) write(op op, token core.Token, keys []core.Key, d time.Duration, concerned func(i int) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return errClosed
	}
	before, at := len(s.waiting), s.clock.now()
	for i, key := range keys {
		if concerned(i) {
			s.waiting = record{op, at, d, token, key}.append(s.waiting)
		}
	}
	if s.tail != nil {
		s.tail = append(s.tail, s.waiting[before:]...)
	}
	ends := op == opCommit || op == opRelease
	if !ends && !s.failing {
		s.flushSoon()
		return nil
	}
	err := s.flush()
	if err != nil && !ends {
		s.waiting = s.waiting[:before] // it will not be claimed, then
	}
	return err
}

// flush writes what waits. What can't be written waits on.
func (s *Store) flush() error {
	if len(s.waiting) == 0 {
		return nil
	}
	err := s.file.append(s.waiting)
	if s.failing = err != nil; s.failing {
		return fmt.Errorf("disk store: %w", err)
	}
	s.waiting = s.waiting[:0]
	if s.tail == nil && s.file.records > 2*s.Len()+spareRecords && !s.closing.Load() {
		s.tail = []byte{}
		s.work.Go(s.compact)
	}
	return nil
}

const moment = 10 * time.Millisecond

func (s *Store) flushSoon() {
	if s.soon || len(s.waiting) == 0 {
		return
	}
	s.soon = true
	time.AfterFunc(moment, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.soon = false
		if s.closing.Load() {
			return // Close has flushed
		}
		if err := s.flush(); err != nil {
			s.log.Error("replay store can't be written: new claims are refused until it can", zap.Error(err))
		}
	})
}

// spareRecords is how much history is not worth writing the file anew.
const spareRecords = 1 << 16

// compact writes the file anew with what is held now. What changes meanwhile is
// written to both files.
func (s *Store) compact() {
	fresh, err := s.rewrite(s.file.path + ".new")
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		err = fresh.append(s.tail)
	}
	if err == nil {
		err = s.file.become(fresh)
	}
	s.tail = nil
	if err != nil {
		s.file.records = 0 // try again after as much again
		s.log.Error("disk store can't be written anew, and grows", zap.String("path", s.file.path), zap.Error(err))
	}
}

// rewrite makes a file of what is held.
func (s *Store) rewrite(path string) (*journal, error) {
	fresh, err := createJournal(path)
	if err != nil {
		return nil, err
	}
	at := s.clock.now()
	buffer := make([]byte, 0, 1024*recordSize)
	flush := func() {
		if err == nil {
			err = fresh.append(buffer)
		}
		buffer = buffer[:0]
	}
	s.Each(func(h memory.Held) {
		op := opClaim
		if h.State == core.Done {
			op = opCommit
		}
		if buffer = (record{op, at, h.Left, h.Token, h.Key}).append(buffer); len(buffer) == cap(buffer) {
			flush()
		}
	})
	flush()
	if err == nil {
		err = fresh.sync()
	}
	if err != nil {
		return nil, errors.Join(err, fresh.close(), os.Remove(path))
	}
	return fresh, nil
}

package disk

// Crash leaves the store as a process would that is killed a moment after its
// last call: what the operating system has is there, nothing else is.
func (s *Store) Crash() {
	s.mu.Lock()
	_ = s.flush()
	s.mu.Unlock()
	s.CrashAtOnce()
}

// CrashAtOnce is Crash without that moment.
func (s *Store) CrashAtOnce() {
	s.closing.Store(true)
	s.work.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.file.close()
	_ = s.lock.Close()
}

// Compact writes the file anew, now.
func (s *Store) Compact() {
	s.mu.Lock()
	s.tail = []byte{}
	s.mu.Unlock()
	s.compact()
}

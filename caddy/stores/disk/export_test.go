package disk

// Crash leaves the store as a killed process would: what the operating system
// has is there, nothing else is.
func (s *Store) Crash() {
	s.closing.Store(true)
	s.work.Wait()
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

// Records is how many records the file has.
func (s *Store) Records() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file.records
}

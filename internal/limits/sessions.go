package limits

import "sync"

// Sessions counts what is open at the same time, by key. It remembers only keys
// with something open, so its memory is bounded by what is. It is safe for
// concurrent use; the zero value is ready.
type Sessions struct {
	mutex sync.Mutex
	open  map[string]int64
}

// Enter counts one more for a key unless max are open already. Whoever was let in
// calls Leave once.
func (s *Sessions) Enter(key string, max int64) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.open[key] >= max {
		return false
	}
	if s.open == nil {
		s.open = make(map[string]int64)
	}
	s.open[key]++
	return true
}

// Leave counts one less.
func (s *Sessions) Leave(key string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.open[key] <= 1 {
		delete(s.open, key)
		return
	}
	s.open[key]--
}

// Open is how many a key has open.
func (s *Sessions) Open(key string) int64 {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.open[key]
}

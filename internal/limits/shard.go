package limits

import (
	"sync"
	"time"
)

// maxSweepPerRequest is how many ended windows one request clears away: more
// than the one it can add, so that ended windows never pile up.
const maxSweepPerRequest = 2

// counter is the window of one key.
type counter struct {
	start time.Time
	count int // allowed requests since start, 1 to max
}

// shard is a part of a window, guarded by its own mutex.
type shard struct {
	mutex  sync.Mutex
	max    int
	period time.Duration
	// counters are in the order of their starts. All windows are equally long, so
	// the first to start is also the first to end.
	counters ordered[counter]

	_ [64]byte // keeps two mutexes off one cache line
}

func (s *shard) init(maxRequests int, period time.Duration, maxKeys int) {
	s.max, s.period = maxRequests, period
	s.counters.init(maxKeys)
}

// allow counts and decides one request. The window is on: max is above 0.
func (s *shard) allow(key string, now time.Time) Decision {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	s.sweep(now)
	current := s.window(key, now)
	if current.count >= s.max {
		return Decision{RetryAfter: s.untilEnd(current, now)}
	}
	current.count++
	return Decision{Allowed: true, Remaining: s.max - current.count}
}

// window returns the running window of a key, which may begin now.
func (s *shard) window(key string, now time.Time) *counter {
	known := s.counters.get(key)
	if known == nil {
		return &s.counters.add(key, counter{start: now}).value
	}
	if s.ended(&known.value, now) {
		known.value = counter{start: now}
		s.counters.touch(known)
	}
	return &known.value
}

// sweep removes a few windows that have ended, oldest first.
func (s *shard) sweep(now time.Time) {
	for range maxSweepPerRequest {
		oldest := s.counters.first()
		if oldest == nil || !s.ended(&oldest.value, now) {
			return
		}
		s.counters.remove(oldest)
	}
}

// ended reports whether a window is over, or starts so far ahead of now that
// the clock must have been set back.
func (s *shard) ended(c *counter, now time.Time) bool {
	elapsed := now.Sub(c.start)
	return elapsed >= s.period || elapsed < -s.period
}

// untilEnd returns the time left of a window that has not ended, at most one
// period.
func (s *shard) untilEnd(c *counter, now time.Time) time.Duration {
	return min(s.period-now.Sub(c.start), s.period)
}

func (s *shard) size() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.counters.items)
}

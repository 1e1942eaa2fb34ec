package limits

import (
	"strings"
	"sync"
	"time"
)

// maxSweepPerRequest is how many ended windows one request clears away: more
// than the one it can add, so that ended windows never pile up.
const maxSweepPerRequest = 2

// counter is the window of one key, linked in the order of the starts.
type counter struct {
	key            string
	start          time.Time
	count          int // allowed requests since start, 1 to max
	previous, next *counter
}

// shard is a part of a window, guarded by its own mutex.
type shard struct {
	mutex    sync.Mutex
	max      int
	period   time.Duration
	maxKeys  int
	counters map[string]*counter
	// list is the sentinel of a ring: list.next started first, list.previous
	// last. All windows are equally long, so the first to start is also the
	// first to end.
	list counter

	_ [64]byte // keeps two mutexes off one cache line
}

func (s *shard) init(maxRequests int, period time.Duration, maxKeys int) {
	s.max, s.period, s.maxKeys = maxRequests, period, maxKeys
	s.counters = make(map[string]*counter)
	s.list.next, s.list.previous = &s.list, &s.list
}

// allow counts and decides one request. The window is on: max is above 0.
func (s *shard) allow(key string, now time.Time) Decision {
	s.mutex.Lock()
	defer s.mutex.Unlock()

	s.sweep(now)
	current, known := s.counters[key]
	if !known {
		current = s.add(key, now)
	} else if s.ended(current, now) {
		s.restart(current, now)
	}
	if current.count >= s.max {
		return Decision{RetryAfter: s.untilEnd(current, now)}
	}
	current.count++
	return Decision{Allowed: true, Remaining: s.max - current.count}
}

// sweep removes a few windows that have ended, oldest first.
func (s *shard) sweep(now time.Time) {
	for range maxSweepPerRequest {
		oldest := s.list.next
		if oldest == &s.list || !s.ended(oldest, now) {
			return
		}
		s.remove(oldest)
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

// add starts a window for a new key and evicts the oldest when there is no room.
func (s *shard) add(key string, now time.Time) *counter {
	if len(s.counters) >= s.maxKeys {
		s.remove(s.list.next)
	}
	// A key cut from a request would keep all of that request alive.
	added := &counter{key: strings.Clone(key), start: now}
	s.counters[added.key] = added
	s.append(added)
	return added
}

// restart begins a new window for a known key.
func (s *shard) restart(c *counter, now time.Time) {
	c.start, c.count = now, 0
	s.unlink(c)
	s.append(c)
}

func (s *shard) remove(c *counter) {
	s.unlink(c)
	delete(s.counters, c.key)
}

func (s *shard) unlink(c *counter) {
	c.previous.next, c.next.previous = c.next, c.previous
}

// append links c as the window that started last.
func (s *shard) append(c *counter) {
	last := s.list.previous
	c.previous, c.next = last, &s.list
	last.next, s.list.previous = c, c
}

func (s *shard) size() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.counters)
}

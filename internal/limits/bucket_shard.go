package limits

import (
	"math"
	"sync"
	"time"
)

// bucket is what one key has taken and did not get back yet.
type bucket struct {
	taken int64 // 0 (full) to twice the size (in debt)
	at    time.Time
}

// bucketShard is a part of Buckets, guarded by its own mutex.
type bucketShard struct {
	mutex   sync.Mutex
	period  time.Duration
	buckets ordered[bucket] // by their last calls

	_ [64]byte // keeps two mutexes off one cache line
}

func (s *bucketShard) init(period time.Duration, maxKeys int) {
	s.period = period
	s.buckets.init(maxKeys)
}

// take decides; amount is at most size.
func (s *bucketShard) take(key string, size, amount int64, now time.Time) Level {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	b := s.find(key, size, now)
	level := Level{Allowed: b.taken+amount <= size}
	if level.Allowed {
		b.taken += amount
	} else {
		level.RetryAfter = max(1, s.wait(b.taken+amount-size, size)-b.kept(now))
	}
	level.Remaining, level.Reset = max(0, size-b.taken), max(0, s.wait(b.taken, size)-b.kept(now))
	return level
}

func (s *bucketShard) give(key string, size, amount int64, now time.Time) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	b := s.find(key, size, now)
	if amount >= 0 {
		b.taken = max(0, b.taken-amount)
		return
	}
	most := min(size, math.MaxInt64/2) * 2
	b.taken += min(max(0, most-b.taken), -max(amount, -math.MaxInt64))
}

// find brings the bucket of a key up to a moment.
func (s *bucketShard) find(key string, size int64, now time.Time) *bucket {
	s.sweep(now)
	known := s.buckets.get(key)
	if known == nil {
		return &s.buckets.add(key, bucket{at: now}).value
	}
	known.value.refill(size, s.period, now)
	s.buckets.touch(known)
	return &known.value
}

// refill gives back what has come back since the last call. A moment before that
// call counts as it; one far before means that the clock was set back.
func (b *bucket) refill(size int64, period time.Duration, now time.Time) {
	elapsed := now.Sub(b.at)
	switch {
	case elapsed < -period:
		b.at = now
	case elapsed <= 0:
	case elapsed >= 2*period || b.taken == 0:
		b.taken, b.at = 0, now
	default:
		b.advance(size, period, min(elapsed, period))
		b.advance(size, period, max(0, elapsed-period))
	}
}

// advance refills for at most one period. The time that gave less than one whole
// token is kept for the next call.
func (b *bucket) advance(size int64, period, elapsed time.Duration) {
	back := proportion(size, int64(elapsed), int64(period))
	if back == 0 {
		return
	}
	if back >= b.taken {
		b.taken, b.at = 0, b.at.Add(elapsed)
		return
	}
	b.taken -= back
	b.at = b.at.Add(min(elapsed, time.Duration(proportion(int64(period), back, size))+1))
}

// kept is the time that gave nothing back yet.
func (b *bucket) kept(now time.Time) time.Duration { return max(0, now.Sub(b.at)) }

// wait is how long an amount of at most twice the size takes to come back, rounded
// up.
func (s *bucketShard) wait(amount, size int64) time.Duration {
	if amount <= 0 {
		return 0
	}
	first := min(amount, size)
	wait := time.Duration(proportion(int64(s.period), first, size))
	if rest := min(amount-first, size); rest > 0 {
		wait += time.Duration(proportion(int64(s.period), rest, size))
	}
	return wait + 1 // a nanosecond for what was rounded down
}

// sweep forgets a few buckets that are full again, longest idle first.
func (s *bucketShard) sweep(now time.Time) {
	for range maxSweepPerRequest {
		idle := s.buckets.first()
		if idle == nil || now.Sub(idle.value.at) < 2*s.period {
			return
		}
		s.buckets.remove(idle)
	}
}

func (s *bucketShard) size() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.buckets.items)
}

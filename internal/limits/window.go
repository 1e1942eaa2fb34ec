package limits

import (
	"fmt"
	"hash/maphash"
	"time"
)

const (
	// DefaultMaxKeys is how many keys are remembered when Config.MaxKeys is 0.
	// At about 200 bytes a key that is some 20 MB.
	DefaultMaxKeys = 100_000

	// MaxPeriod is the longest period: 31 days. Counters that live in memory
	// are the wrong tool for anything longer.
	MaxPeriod = 31 * 24 * time.Hour

	// Unlimited is Decision.Remaining when a window is off.
	Unlimited = -1

	// maxShards is how many parts a window is split into, so that requests of
	// different keys seldom wait for each other. It is a power of two.
	maxShards = 64

	// minKeysPerShard keeps a small window in few parts. Keys spread unevenly,
	// and a part evicts as soon as it is full itself.
	minKeysPerShard = 256
)

// Config describes a window.
type Config struct {
	// Max is how many requests of one key are allowed in one period. 0 turns
	// the window off: every request is allowed and nothing is remembered.
	Max int
	// Period is the length of a window, above 0 and at most MaxPeriod.
	Period time.Duration
	// MaxKeys is how many keys are remembered at most; 0 means DefaultMaxKeys.
	MaxKeys int
}

// Window limits the requests of each key with a fixed window that starts with
// the key's first request: Max requests are allowed until Period has passed
// since that first one, then the next request starts a new window. A refused
// request counts for nothing, so asking again never prolongs the wait.
//
// Better Auth's limiter, whose defaults this one is used with, also starts
// with a key's first request, but moves the start to each allowed request. A
// burst is treated alike by both; a slow, steady caller, whom Better Auth
// refuses in the end, is not refused here.
//
// Two adjoining windows can hold up to 2 × Max requests within one period,
// the known bound of every fixed window.
//
// A Window is safe for concurrent use.
type Window struct {
	max    int
	seed   maphash.Seed
	shards []shard
}

// Decision is the answer to one request.
type Decision struct {
	// Allowed says whether the request may pass.
	Allowed bool
	// Remaining is how many more requests the key has in this window, from 0
	// to Max - 1, or Unlimited when the window is off.
	Remaining int
	// RetryAfter is how long to wait before a request is allowed again, above
	// 0 and at most one period when the request is refused, otherwise 0.
	RetryAfter time.Duration
}

// Seconds returns RetryAfter in whole seconds, rounded up, as a Retry-After
// header takes it (RFC 9110, section 10.2.3).
func (d Decision) Seconds() int64 {
	seconds := int64(d.RetryAfter / time.Second)
	if d.RetryAfter%time.Second > 0 {
		seconds++
	}
	return seconds
}

// NewWindow returns an empty window. It refuses a negative number and a period
// out of its bounds, because guessing there would leave a route without its
// limit.
func NewWindow(config Config) (*Window, error) {
	if config.Max < 0 {
		return nil, fmt.Errorf("limits: Max must be 0 or more, not %d", config.Max)
	}
	if config.Period <= 0 || config.Period > MaxPeriod {
		return nil, fmt.Errorf("limits: Period must be above 0 and at most %s, not %s", MaxPeriod, config.Period)
	}
	if config.MaxKeys < 0 {
		return nil, fmt.Errorf("limits: MaxKeys must be 0 or more, not %d", config.MaxKeys)
	}
	maxKeys := config.MaxKeys
	if maxKeys == 0 {
		maxKeys = DefaultMaxKeys
	}

	window := &Window{
		max:    config.Max,
		seed:   maphash.MakeSeed(),
		shards: make([]shard, shardCount(maxKeys)),
	}
	for i := range window.shards {
		window.shards[i].init(config.Max, config.Period, maxKeys/len(window.shards))
	}
	return window, nil
}

// shardCount returns a power of two from 1 to maxShards.
func shardCount(maxKeys int) int {
	count := 1
	for count < maxShards && maxKeys/(count*2) >= minKeysPerShard {
		count *= 2
	}
	return count
}

// Allow counts one request of a key at a moment and decides it.
//
// The key is any text that names the caller and what is limited, such as an
// address and a route. Long keys are remembered by their hash.
//
// Moments may arrive slightly out of order, as concurrent requests read their
// clocks before they get here: a moment before the window's start counts as
// the start. A moment more than one period before it means that the clock was
// set back; the window then starts anew, so that nobody waits longer than two
// periods for the clock to catch up.
//
// When MaxKeys keys are remembered, a new key takes the place of the oldest
// window, whose key then starts at zero: a bound on memory, at the price of
// leniency towards a caller who commands very many keys. From 512 keys on, a
// Window is split into parts with an equal share of MaxKeys each, and the
// oldest window of the part is meant.
func (w *Window) Allow(key string, now time.Time) Decision {
	if w.max == 0 {
		return Decision{Allowed: true, Remaining: Unlimited}
	}
	key = boundedKey(key)
	part := maphash.String(w.seed, key) & uint64(len(w.shards)-1)
	return w.shards[part].allow(key, now)
}

// Len returns how many keys are remembered, at most MaxKeys.
func (w *Window) Len() int {
	total := 0
	for i := range w.shards {
		total += w.shards[i].size()
	}
	return total
}

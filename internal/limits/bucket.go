package limits

import (
	"fmt"
	"hash/maphash"
	"math/bits"
	"time"
)

// Buckets limit with a token bucket for each key: a full bucket holds what may be
// taken at once, and what was taken comes back evenly over one period. Whoever
// stays below the rate is never refused; after a pause, up to twice the size can
// pass within one period, half of it at once.
//
// The size comes with each call, because it is the caller's plan that says it, and
// an edit of the plan holds from the next call on. Buckets are safe for concurrent
// use.
type Buckets struct {
	seed   maphash.Seed
	shards []bucketShard
}

// Level is a bucket after a call.
type Level struct {
	// Allowed says whether the call may pass; if not, nothing was taken.
	Allowed bool
	// Remaining is what may be taken at once now, never negative.
	Remaining int64
	// RetryAfter is how long to wait before the same call is allowed, 0 when it was.
	RetryAfter time.Duration
	// Reset is when the bucket is full again.
	Reset time.Duration
}

// NewBuckets returns full buckets. maxKeys bounds how many are remembered; 0 means
// DefaultMaxKeys.
func NewBuckets(period time.Duration, maxKeys int) (*Buckets, error) {
	if period <= 0 || period > MaxPeriod {
		return nil, fmt.Errorf("limits: Period must be above 0 and at most %s, not %s", MaxPeriod, period)
	}
	if maxKeys < 0 {
		return nil, fmt.Errorf("limits: MaxKeys must be 0 or more, not %d", maxKeys)
	}
	if maxKeys == 0 {
		maxKeys = DefaultMaxKeys
	}
	b := &Buckets{seed: maphash.MakeSeed(), shards: make([]bucketShard, shardCount(maxKeys))}
	for i := range b.shards {
		b.shards[i].init(period, maxKeys/len(b.shards))
	}
	return b, nil
}

// Take takes an amount from the bucket of a key, if it is there. An amount above
// the size passes when the bucket is full, and empties it: nothing could ever
// allow it otherwise. A size below 1 allows nothing.
//
// When too many keys are remembered, the one that was longest idle is forgotten and
// has a full bucket again.
func (b *Buckets) Take(key string, size, amount int64, now time.Time) Level {
	if size < 1 {
		return Level{RetryAfter: MaxPeriod}
	}
	shard, key := b.shard(key)
	return shard.take(key, size, min(max(amount, 0), size), now)
}

// Give puts an amount back, because less was used than taken. A negative amount
// takes more without asking: the bucket can then be in debt, of one size at most.
func (b *Buckets) Give(key string, size, amount int64, now time.Time) {
	if size < 1 || amount == 0 {
		return
	}
	shard, key := b.shard(key)
	shard.give(key, size, amount, now)
}

// Len returns how many keys are remembered.
func (b *Buckets) Len() int {
	total := 0
	for i := range b.shards {
		total += b.shards[i].size()
	}
	return total
}

func (b *Buckets) shard(key string) (*bucketShard, string) {
	key = boundedKey(key)
	return &b.shards[maphash.String(b.seed, key)&uint64(len(b.shards)-1)], key
}

// proportion is number × part ÷ whole, rounded down, for numbers of 0 and more
// with part ≤ whole or number ≤ whole. The product has 128 bits.
func proportion(number, part, whole int64) int64 {
	high, low := bits.Mul64(uint64(number), uint64(part))
	quotient, _ := bits.Div64(high, low, uint64(whole))
	return int64(quotient)
}

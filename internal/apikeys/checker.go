package apikeys

import (
	"sync"
	"time"
)

// shardCount is how many parts the checker is split into, so that a write
// blocks few readers. It is a power of two.
const shardCount = 64

// Grant is what a valid key gives its bearer.
type Grant struct {
	ID     string // the key's record id, safe to log
	UserID string
	Scopes Scopes
	// ExpiresAt is the first moment at which the key is no longer valid; the
	// zero time means never.
	ExpiresAt time.Time
	Disabled  bool
	Limits    *Limits // nil: none
}

// unlimited are the limits of a key without any.
var unlimited = new(Limits)

// Bounds are the limits, never nil.
func (g Grant) Bounds() *Limits {
	if g.Limits == nil {
		return unlimited
	}
	return g.Limits
}

// validAt reports whether the grant holds at a moment.
func (g Grant) validAt(now time.Time) bool {
	return !g.Disabled && (g.ExpiresAt.IsZero() || now.Before(g.ExpiresAt))
}

// Checker knows every key by its hash and answers from memory. Whoever commits
// a change to the stored keys calls Put or Remove before answering, so that a
// revoked key is dead when its owner reads "revoked".
//
// It is safe for concurrent use.
type Checker struct {
	shards [shardCount]checkerShard
}

// checkerShard holds the grants of the hashes that fall to it.
type checkerShard struct {
	mutex  sync.RWMutex
	grants map[Hash]Grant
}

// NewChecker returns a checker that knows no key.
func NewChecker() *Checker {
	checker := new(Checker)
	for i := range checker.shards {
		checker.shards[i].grants = make(map[Hash]Grant)
	}
	return checker
}

// shard returns the part of a hash. SHA-256 spreads keys evenly, whatever an
// attacker sends.
func (c *Checker) shard(hash Hash) *checkerShard {
	return &c.shards[hash[0]&(shardCount-1)]
}

// Check returns the grant of a key at a moment. It is false, with a zero Grant,
// for a key that is unknown, disabled or expired. It allocates nothing.
//
// The lookup is by the hash of the key, so its timing tells nothing about other
// keys: whoever could aim at a hash would have to invert SHA-256 first.
func (c *Checker) Check(key Key, now time.Time) (Grant, bool) {
	if key.text == nil {
		return Grant{}, false
	}
	hash := key.Hash()
	shard := c.shard(hash)
	shard.mutex.RLock()
	grant, known := shard.grants[hash]
	shard.mutex.RUnlock()
	if !known || !grant.validAt(now) {
		return Grant{}, false
	}
	return grant, true
}

// Put adds a key or changes its grant.
func (c *Checker) Put(hash Hash, grant Grant) {
	shard := c.shard(hash)
	shard.mutex.Lock()
	defer shard.mutex.Unlock()
	shard.grants[hash] = grant
}

// Remove forgets a key. Removing an unknown key does nothing.
func (c *Checker) Remove(hash Hash) {
	shard := c.shard(hash)
	shard.mutex.Lock()
	defer shard.mutex.Unlock()
	delete(shard.grants, hash)
}

// Replace forgets all keys and learns the given ones, which are copied. It is
// meant for start-up: a Put or Remove between the reading of the given keys and
// this call is lost, and with a Remove a revoked key would live again.
func (c *Checker) Replace(grants map[Hash]Grant) {
	var parts [shardCount]map[Hash]Grant
	for i := range parts {
		parts[i] = make(map[Hash]Grant, len(grants)/shardCount)
	}
	for hash, grant := range grants {
		parts[hash[0]&(shardCount-1)][hash] = grant
	}
	for i := range c.shards {
		c.shards[i].replace(parts[i])
	}
}

func (s *checkerShard) replace(grants map[Hash]Grant) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.grants = grants
}

// Len returns how many keys are known, expired and disabled ones included.
func (c *Checker) Len() int {
	total := 0
	for i := range c.shards {
		total += c.shards[i].size()
	}
	return total
}

func (s *checkerShard) size() int {
	s.mutex.RLock()
	defer s.mutex.RUnlock()
	return len(s.grants)
}

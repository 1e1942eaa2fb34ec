// Package readcache keeps committed rows in memory for readers, without ever
// showing a row that is older than the last write.
//
// It owns the one hard part of a read-through cache: a reader that loaded a row
// just before a write must not put the old row back after it. It must never load
// or write anything itself, and never grow beyond its bound.
package readcache

import (
	"hash/maphash"
	"sync"
)

const shardCount = 64

// Cache holds values by key. Values are shared by all readers: they must not be
// changed.
type Cache[K comparable, V any] struct {
	seed   maphash.Seed
	shards [shardCount]shard[K, V]
}

// shard keeps its entries in two maps. When the new one is full it takes the
// place of the old one, whose entries are forgotten unless somebody asked for them
// meanwhile. So what is forgotten was not asked for lately, and no map is ever
// deleted from entry by entry, which would leave it twice as large.
type shard[K comparable, V any] struct {
	sync.RWMutex
	recent, older map[K]V
	max           int // entries of each map
	// writes counts the writes of this shard.
	writes uint64
}

// Ticket is what a reader got from Get, to be handed to Fill after it loaded the
// value that was missing.
type Ticket struct{ writes uint64 }

// New returns a cache of at most about maxEntries entries.
func New[K comparable, V any](maxEntries int) *Cache[K, V] {
	c := &Cache[K, V]{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].recent = make(map[K]V)
		c.shards[i].max = max(1, maxEntries/shardCount/2)
	}
	return c
}

// Get returns the value of a key, or the ticket for Fill.
func (c *Cache[K, V]) Get(key K) (value V, ok bool, ticket Ticket) {
	s := c.shard(key)
	s.RLock()
	value, ok = s.recent[key]
	ticket = Ticket{s.writes}
	s.RUnlock()
	if ok {
		return value, ok, ticket
	}
	return s.renew(key)
}

// Fill keeps what a reader loaded, unless a write came in between.
func (c *Cache[K, V]) Fill(key K, value V, ticket Ticket) {
	s := c.shard(key)
	s.Lock()
	defer s.Unlock()
	if s.writes == ticket.writes {
		s.set(key, value)
	}
}

// Put keeps what a writer has just committed.
func (c *Cache[K, V]) Put(key K, value V) {
	s := c.shard(key)
	s.Lock()
	defer s.Unlock()
	s.writes++
	s.set(key, value)
}

// Drop forgets a key whose row was written by somebody else.
func (c *Cache[K, V]) Drop(key K) {
	s := c.shard(key)
	s.Lock()
	defer s.Unlock()
	s.writes++
	delete(s.recent, key)
	delete(s.older, key)
}

// Clear forgets everything.
func (c *Cache[K, V]) Clear() {
	for i := range c.shards {
		s := &c.shards[i]
		s.Lock()
		s.writes++
		s.recent, s.older = make(map[K]V), nil
		s.Unlock()
	}
}

func (c *Cache[K, V]) shard(key K) *shard[K, V] {
	return &c.shards[maphash.Comparable(c.seed, key)%shardCount]
}

// renew looks for a key among the older entries, and counts it as a recent one
// from now on.
func (s *shard[K, V]) renew(key K) (value V, ok bool, ticket Ticket) {
	s.Lock()
	defer s.Unlock()
	if value, ok = s.recent[key]; !ok {
		if value, ok = s.older[key]; ok {
			s.set(key, value)
		}
	}
	return value, ok, Ticket{s.writes}
}

func (s *shard[K, V]) set(key K, value V) {
	if _, known := s.recent[key]; !known && len(s.recent) >= s.max {
		s.recent, s.older = make(map[K]V, s.max), s.recent
	}
	s.recent[key] = value
	delete(s.older, key) // it would come back when the recent one is dropped
}

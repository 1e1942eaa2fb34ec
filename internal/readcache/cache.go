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

type shard[K comparable, V any] struct {
	sync.RWMutex
	values map[K]V
	max    int
	// generation counts the writes of this shard.
	generation uint64
}

// Ticket is what a reader got from Get, to be handed to Fill after it loaded the
// value that was missing.
type Ticket struct{ generation uint64 }

// New returns a cache of at most about maxEntries entries.
func New[K comparable, V any](maxEntries int) *Cache[K, V] {
	c := &Cache[K, V]{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].values = make(map[K]V)
		c.shards[i].max = max(1, maxEntries/shardCount)
	}
	return c
}

// Get returns the value of a key, or the ticket for Fill.
func (c *Cache[K, V]) Get(key K) (value V, ok bool, ticket Ticket) {
	s := c.shard(key)
	s.RLock()
	defer s.RUnlock()
	value, ok = s.values[key]
	return value, ok, Ticket{s.generation}
}

// Fill keeps what a reader loaded, unless a write came in between.
func (c *Cache[K, V]) Fill(key K, value V, ticket Ticket) {
	s := c.shard(key)
	s.Lock()
	defer s.Unlock()
	if s.generation == ticket.generation {
		s.set(key, value)
	}
}

// Put keeps what a writer has just committed.
func (c *Cache[K, V]) Put(key K, value V) {
	s := c.shard(key)
	s.Lock()
	defer s.Unlock()
	s.generation++
	s.set(key, value)
}

// Drop forgets a key whose row was written by somebody else.
func (c *Cache[K, V]) Drop(key K) {
	s := c.shard(key)
	s.Lock()
	defer s.Unlock()
	s.generation++
	delete(s.values, key)
}

// Clear forgets everything.
func (c *Cache[K, V]) Clear() {
	for i := range c.shards {
		s := &c.shards[i]
		s.Lock()
		s.generation++
		clear(s.values)
		s.Unlock()
	}
}

func (c *Cache[K, V]) shard(key K) *shard[K, V] {
	return &c.shards[maphash.Comparable(c.seed, key)%shardCount]
}

// set makes room by forgetting any other entry; which one does not matter, it
// costs one read to have it back.
func (s *shard[K, V]) set(key K, value V) {
	if _, known := s.values[key]; !known && len(s.values) >= s.max {
		for other := range s.values {
			delete(s.values, other)
			break
		}
	}
	s.values[key] = value
}

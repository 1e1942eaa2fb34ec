package accounts

import (
	"slices"
	"sync"
	"time"
)

// maxCachedSessions bounds the memory of the cache (about 600 bytes each, more with
// a long user agent).
const maxCachedSessions = 32_000

// sessionCache holds living sessions by key. A session that ended is never in it:
// ends happen on disk first, then here, and a reader that loaded a row before an
// end may not bring it back (see generation).
type sessionCache struct {
	mu     sync.RWMutex
	byKey  map[Key]Session
	byID   map[string]Key
	byUser map[string][]string // user id → ids of its sessions, at most MaxSessionsPerUser or so
	// generation counts ends and changes.
	generation uint64
}

func newSessionCache() *sessionCache {
	return &sessionCache{byKey: make(map[Key]Session), byID: make(map[string]Key), byUser: make(map[string][]string)}
}

// get returns the session, or the generation to hand to fill after loading it.
func (c *sessionCache) get(key Key) (session Session, ok bool, generation uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	session, ok = c.byKey[key]
	return session, ok, c.generation
}

func (c *sessionCache) fill(key Key, session Session, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation != generation {
		return
	}
	if len(c.byKey) >= maxCachedSessions {
		c.evictOne()
	}
	c.remove(session.ID)
	c.byKey[key] = session
	c.byID[session.ID] = key
	c.byUser[session.UserID] = append(c.byUser[session.UserID], session.ID)
}

func (c *sessionCache) evictOne() {
	for _, session := range c.byKey {
		c.remove(session.ID)
		return
	}
}

func (c *sessionCache) remove(sessionID string) {
	key, ok := c.byID[sessionID]
	if !ok {
		return
	}
	userID := c.byKey[key].UserID
	delete(c.byKey, key)
	delete(c.byID, sessionID)
	left := slices.DeleteFunc(c.byUser[userID], func(id string) bool { return id == sessionID })
	if len(left) == 0 {
		delete(c.byUser, userID)
		return
	}
	c.byUser[userID] = left
}

func (c *sessionCache) forgetUser(userID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	for _, sessionID := range slices.Clone(c.byUser[userID]) {
		c.remove(sessionID)
	}
}

func (c *sessionCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	clear(c.byKey)
	clear(c.byID)
	clear(c.byUser)
}

func (c *sessionCache) forget(sessionID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	c.remove(sessionID)
}

// used notes when a session was last used, if it is still here. A reader that
// loaded the row before puts the older time back, which costs one more write.
func (c *sessionCache) used(sessionID string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key, ok := c.byID[sessionID]
	if !ok {
		return
	}
	session := c.byKey[key]
	session.LastUsedAt = at
	c.byKey[key] = session
}

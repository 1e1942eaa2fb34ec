package accounts

import "sync"

// maxCachedSessions bounds the memory of the cache (about 300 bytes each).
const maxCachedSessions = 100_000

// sessionCache holds living sessions by token hash. A session that ended is
// never in it: ends happen on disk first, then here, and a reader that loaded a
// row before an end may not bring it back (see generation).
type sessionCache struct {
	mu     sync.RWMutex
	byHash map[string]Session
	byUser map[string]map[string]string // user id → session id → token hash
	// generation counts ends and changes.
	generation uint64
}

func newSessionCache() *sessionCache {
	return &sessionCache{byHash: make(map[string]Session), byUser: make(map[string]map[string]string)}
}

// get returns the session, or the generation to hand to fill after loading it.
func (c *sessionCache) get(hash string) (session Session, ok bool, generation uint64) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	session, ok = c.byHash[hash]
	return session, ok, c.generation
}

func (c *sessionCache) fill(hash string, session Session, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation != generation {
		return
	}
	if len(c.byHash) >= maxCachedSessions {
		c.evictOne()
	}
	c.byHash[hash] = session
	if c.byUser[session.UserID] == nil {
		c.byUser[session.UserID] = make(map[string]string)
	}
	c.byUser[session.UserID][session.ID] = hash
}

func (c *sessionCache) evictOne() {
	for hash, session := range c.byHash {
		c.remove(hash, session)
		return
	}
}

func (c *sessionCache) remove(hash string, session Session) {
	delete(c.byHash, hash)
	delete(c.byUser[session.UserID], session.ID)
	if len(c.byUser[session.UserID]) == 0 {
		delete(c.byUser, session.UserID)
	}
}

func (c *sessionCache) forgetUser(userID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	for _, hash := range c.byUser[userID] {
		delete(c.byHash, hash)
	}
	delete(c.byUser, userID)
}

// forget drops one session. It walks the users of the cache, which is fine for
// what it serves: a slide once a day, and an admin's delete.
func (c *sessionCache) forget(sessionID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	for _, sessions := range c.byUser {
		if hash, ok := sessions[sessionID]; ok {
			c.remove(hash, c.byHash[hash])
			return
		}
	}
}

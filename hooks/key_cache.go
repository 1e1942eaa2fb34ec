package hooks

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
)

// keyCache keeps the checker equal to the table api_keys. Every change is taken
// over by reading the committed row again under one lock, so that changes which
// commit in one order are never taken over in another.
type keyCache struct {
	app     core.App
	checker *apikeys.Checker

	mu     sync.Mutex
	hashes map[string][]apikeys.Hash // by row id: what the checker holds for it
	uses   keyUses
}

func newKeyCache(app core.App) *keyCache {
	return &keyCache{app: app, checker: apikeys.NewChecker(), hashes: make(map[string][]apikeys.Hash)}
}

// load fills the checker at start, so that checking a key reads nothing. A row
// that makes no sense opens nothing, and does not keep the server from starting.
func (c *keyCache) load() error {
	var rows []keyRow
	if err := c.app.DB().Select(keyColumns...).From(keysCollection).All(&rows); err != nil {
		return fmt.Errorf("read the API keys: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, row := range rows {
		grants, err := row.grants()
		if err != nil {
			c.warn(row.ID, err)
			continue
		}
		c.put(row.ID, grants)
	}
	return nil
}

// refresh takes a committed change of a row over. A row that is gone, or makes no
// sense, opens nothing.
func (c *keyCache) refresh(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var row keyRow
	var grants []hashedGrant
	err := c.app.DB().Select(keyColumns...).From(keysCollection).Where(dbx.HashExp{"id": id}).One(&row)
	if err == nil {
		grants, err = row.grants()
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		c.warn(id, err)
	}
	c.put(id, grants) // none, after an error
}

// put makes the checker hold these grants of a row and no others.
func (c *keyCache) put(id string, grants []hashedGrant) {
	before := c.hashes[id]
	delete(c.hashes, id)
	for _, one := range grants {
		c.checker.Put(one.hash, one.grant)
		c.hashes[id] = append(c.hashes[id], one.hash)
	}
	for _, hash := range before {
		if !slices.Contains(c.hashes[id], hash) {
			c.checker.Remove(hash)
		}
	}
}

func (c *keyCache) warn(id string, err error) {
	c.app.Logger().Error("An API key is out of force because its row cannot be read",
		slog.String("id", id), slog.Any("error", err))
}

// bindKeyCache follows every committed change, ours and an admin's.
func bindKeyCache(app core.App, keys *keyCache) {
	refresh := func(e *core.RecordEvent) error {
		keys.refresh(e.Record.Id)
		return e.Next()
	}
	app.OnRecordAfterCreateSuccess(keysCollection).BindFunc(refresh)
	app.OnRecordAfterUpdateSuccess(keysCollection).BindFunc(refresh)
	app.OnRecordAfterDeleteSuccess(keysCollection).BindFunc(refresh)
}

package hooks

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"

	"sokuji/internal/apikeys"
)

// keyCache keeps the checker equal to the table api_keys. Every change is taken
// over by reading the committed row again under one lock, so that changes which
// commit in one order are never taken over in another.
type keyCache struct {
	app     core.App
	checker *apikeys.Checker

	mu     sync.Mutex
	hashes map[string]apikeys.Hash // by row id: what the checker holds for it
}

func newKeyCache(app core.App) *keyCache {
	return &keyCache{app: app, checker: apikeys.NewChecker(), hashes: make(map[string]apikeys.Hash)}
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
		hash, grant, err := row.grant()
		if err != nil {
			c.warn(row.ID, err)
			continue
		}
		c.hashes[row.ID] = hash
		c.checker.Put(hash, grant)
	}
	return nil
}

// refresh takes a committed change of a row over. A row that is gone, or makes no
// sense, opens nothing.
func (c *keyCache) refresh(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var row keyRow
	var hash apikeys.Hash
	var grant apikeys.Grant
	err := c.app.DB().Select(keyColumns...).From(keysCollection).Where(dbx.HashExp{"id": id}).One(&row)
	if err == nil {
		hash, grant, err = row.grant()
	}
	if err != nil {
		c.remove(id)
		if !errors.Is(err, sql.ErrNoRows) {
			c.warn(id, err)
		}
		return
	}
	if c.hashes[id] != hash {
		c.remove(id)
	}
	c.hashes[id] = hash
	c.checker.Put(hash, grant)
}

func (c *keyCache) warn(id string, err error) {
	c.app.Logger().Error("An API key is out of force because its row cannot be read",
		slog.String("id", id), slog.Any("error", err))
}

func (c *keyCache) remove(id string) {
	if hash, known := c.hashes[id]; known {
		c.checker.Remove(hash)
		delete(c.hashes, id)
	}
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

var keyColumns = []string{"id", "user", "key_hash", "scopes", "expires_at", "disabled"}

// keyRow is a row of api_keys as the checker needs it.
type keyRow struct {
	ID        string         `db:"id"`
	User      string         `db:"user"`
	KeyHash   string         `db:"key_hash"`
	Scopes    sql.NullString `db:"scopes"`
	ExpiresAt string         `db:"expires_at"`
	Disabled  bool           `db:"disabled"`
}

func (r keyRow) grant() (apikeys.Hash, apikeys.Grant, error) {
	grant := apikeys.Grant{ID: r.ID, UserID: r.User, Disabled: r.Disabled}
	hash, err := apikeys.ParseHash(r.KeyHash)
	if err != nil {
		return hash, grant, err
	}
	var names []string
	if r.Scopes.Valid && r.Scopes.String != "" {
		if err := json.Unmarshal([]byte(r.Scopes.String), &names); err != nil {
			return hash, grant, fmt.Errorf("scopes: %w", err)
		}
	}
	if grant.Scopes, err = apikeys.ParseScopes(names); err != nil {
		return hash, grant, err
	}
	if r.ExpiresAt != "" {
		grant.ExpiresAt, err = time.Parse(types.DefaultDateLayout, r.ExpiresAt)
	}
	return hash, grant, err
}

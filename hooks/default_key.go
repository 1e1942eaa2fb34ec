package hooks

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
)

const keysCollection = "api_keys"

// defaultKey is the stored part of a user's default key: everything but the key,
// which is derived from the secret, the user and the version each time.
type defaultKey struct {
	Version   int64
	KeyHash   string
	Disabled  bool
	ExpiresAt string
}

// defaultKeyOf returns the user's default key, making it at the first call. Under
// a new secret the derived key is a new one, which then takes the old one's place. A
// key that is over is not shown: it opens nothing.
func (s *server) defaultKeyOf(ctx context.Context, userID string) (apikeys.Key, error) {
	stored, found, err := s.findDefaultKey(ctx, userID)
	if err != nil {
		return apikeys.Key{}, err
	}
	if found && !stored.Disabled {
		if isOver(stored.ExpiresAt, time.Now()) {
			return apikeys.Key{}, forbidden("Your default API key is over by its expiresAt: " + renewAdvice)
		}
		key, err := apikeys.Derive(s.secrets[0], userID, stored.Version)
		if err != nil || key.Hash().String() == stored.KeyHash {
			return key, err
		}
	}
	return s.setDefaultKey(userID, 0, 0)
}

func (s *server) findDefaultKey(ctx context.Context, userID string) (defaultKey, bool, error) {
	var stored defaultKey
	err := s.reader.QueryRowContext(ctx,
		`SELECT version, key_hash, disabled, expires_at FROM api_keys WHERE user = ? AND is_default = TRUE`, userID).
		Scan(&stored.Version, &stored.KeyHash, &stored.Disabled, &stored.ExpiresAt)
	if errors.Is(err, sql.ErrNoRows) {
		return stored, false, nil
	}
	return stored, err == nil, err
}

// setDefaultKey gives the user the default key that is steps versions after the
// current one. The key before it is dead when setDefaultKey returns, because the
// cache follows the commit, or opens for the grace that it is given.
func (s *server) setDefaultKey(userID string, steps int64, grace time.Duration) (apikeys.Key, error) {
	var key apikeys.Key
	err := s.app.RunInTransaction(func(tx core.App) error {
		record, err := findOrNewDefaultKey(tx, userID)
		if err != nil {
			return err
		}
		if err := mayBeRotated(record); err != nil {
			return err
		}
		if err := refuseOver(record, time.Now()); err != nil {
			return err
		}
		version := int64(record.GetInt("version")) + steps
		if key, err = apikeys.Derive(s.secrets[0], userID, version); err != nil {
			return err
		}
		record.Set("version", version)
		replaceKey(record, key, grace, time.Now())
		return tx.Save(record)
	})
	if err != nil {
		return apikeys.Key{}, err
	}
	return key, nil
}

func findOrNewDefaultKey(tx core.App, userID string) (*core.Record, error) {
	record, err := tx.FindFirstRecordByFilter(keysCollection, "user = {:user} && is_default = true", dbx.Params{"user": userID})
	if !errors.Is(err, sql.ErrNoRows) {
		return record, err
	}
	collection, err := tx.FindCachedCollectionByNameOrId(keysCollection)
	if err != nil {
		return nil, err
	}
	record = core.NewRecord(collection)
	record.Set("user", userID)
	record.Set("name", "default")
	record.Set("is_default", true)
	// A key that was deleted must not come back with the next one: versions begin
	// where no earlier row of the user can have been.
	record.Set("version", time.Now().UnixMilli())
	record.Set("scopes", apikeys.DefaultScopes().Strings())
	return record, nil
}

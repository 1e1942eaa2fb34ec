package hooks

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"net/http"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
	"sokuji/internal/ledger"
)

// maxKeyGrace is the longest that an old key opens beside the one that took its
// place.
const maxKeyGrace = 7 * 24 * time.Hour

// userAPIKeyChange changes the fields that are sent and leaves the others. What
// changes holds when the answer is sent.
func (s *server) userAPIKeyChange(e *core.RequestEvent) error {
	c, err := requireUser(e)
	if err != nil {
		return err
	}
	form, err := readKeyForm(e)
	if err != nil {
		return err
	}
	id, err := s.changeKey(e, c, func(tx core.App, record *core.Record) error {
		if err := form.apply(record); err != nil {
			return err
		}
		return tx.Save(record)
	})
	if err != nil {
		return err
	}
	return s.showKey(e, http.StatusOK, id, "")
}

// userAPIKeyDelete ends a named key for good: it is dead when the answer is sent.
func (s *server) userAPIKeyDelete(e *core.RequestEvent) error {
	c, err := requireUser(e)
	if err != nil {
		return err
	}
	_, err = s.changeKey(e, c, func(tx core.App, record *core.Record) error {
		if record.GetBool("is_default") {
			return ledger.Invalid("id", "The default key is not deleted: end it by POST /api/user/api-key/rotate, or disable it.")
		}
		return tx.Delete(record)
	})
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{"success": true})
}

// userAPIKeyRotateNamed gives a key another secret; its name, its limits and what
// it has spent stay. The default key has a route of its own, because it can be
// shown again.
func (s *server) userAPIKeyRotateNamed(e *core.RequestEvent) error {
	c, err := requireUser(e)
	if err != nil {
		return err
	}
	body, err := readFields(e)
	if err != nil {
		return err
	}
	grace := body.grace()
	if body.err != nil {
		return body.err
	}
	key, err := apikeys.Generate(rand.Reader)
	if err != nil {
		return err
	}
	id, err := s.changeKey(e, c, func(tx core.App, record *core.Record) error {
		if record.GetBool("is_default") {
			return ledger.Invalid("id", "The default key is rotated by POST /api/user/api-key/rotate.")
		}
		if err := mayBeRotated(record); err != nil {
			return err
		}
		if err := refuseOver(record, time.Now()); err != nil {
			return err
		}
		replaceKey(record, key, grace, time.Now())
		return tx.Save(record)
	})
	if err != nil {
		return err
	}
	return s.showKey(e, http.StatusOK, id, key.Reveal())
}

// changeKey finds a key of the caller and changes it in one transaction. The cache
// has followed when it returns.
func (s *server) changeKey(e *core.RequestEvent, c caller, change func(core.App, *core.Record) error) (string, error) {
	id := e.Request.PathValue("id")
	err := s.app.RunInTransaction(func(tx core.App) error {
		record, err := tx.FindRecordById(keysCollection, id)
		if errors.Is(err, sql.ErrNoRows) || (err == nil && record.GetString("user") != c.userID) {
			return noSuchKey()
		}
		if err != nil {
			return err
		}
		return change(tx, record)
	})
	return id, err
}

// replaceKey puts a key in the place of a record's. The one before it opens for the
// grace that it is given, and any before that one is dead.
func replaceKey(record *core.Record, key apikeys.Key, grace time.Duration, now time.Time) {
	record.Set("old_key_hash", "")
	record.Set("old_key_expires_at", "")
	if before := record.GetString("key_hash"); grace > 0 && before != "" {
		record.Set("old_key_hash", before)
		record.Set("old_key_expires_at", storedTime(now.Add(grace)))
	}
	record.Set("prefix", key.Prefix())
	record.Set("key_hash", key.Hash().String())
}

// mayBeRotated keeps a disabled key disabled.
func mayBeRotated(record *core.Record) error {
	if !record.GetBool("disabled") {
		return nil
	}
	if record.GetBool("disabled_by_owner") {
		return forbidden("You disabled this API key: enable it first, by PATCH /api/user/api-keys/{id} with {\"disabled\":false}.")
	}
	return forbidden("An admin disabled your API key. Please contact support.")
}

// renewAdvice says how a key that is over becomes one again.
const renewAdvice = `set it to a time to come, or to null, by PATCH /api/user/api-keys/{id}.`

// refuseOver refuses to give a key that is over another secret: that would be as dead.
func refuseOver(record *core.Record, now time.Time) error {
	if !isOver(record.GetString("expires_at"), now) {
		return nil
	}
	return ledger.Invalid("expiresAt", "expiresAt of this API key is over, so another secret would open nothing: first "+renewAdvice)
}

// isOver tells whether a stored end has come. What cannot be read has: such a key
// opens nothing.
func isOver(stored string, now time.Time) bool {
	if stored == "" {
		return false
	}
	end, err := storedInstant(stored)
	return err != nil || !now.Before(end)
}

// grace reads how long the old key still opens, in whole seconds.
func (f *fields) grace() time.Duration {
	const most = int64(maxKeyGrace / time.Second)
	seconds := f.integer("graceSeconds")
	if f.err == nil && (seconds < 0 || seconds > most) {
		f.fail("graceSeconds", "graceSeconds must be a whole number of seconds from 0 to "+decimal(most)+".")
		return 0
	}
	return time.Duration(seconds) * time.Second
}

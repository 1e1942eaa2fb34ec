package hooks

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// keyUseInterval is how far the last use of a key may lag behind: it is written
	// at most once in that time.
	keyUseInterval = time.Minute
	// maxPendingKeyUses bounds the keys that wait, in entries. One beyond it is noted
	// at its next use.
	maxPendingKeyUses = 10_000
	// keyUsesPerTransaction bounds how long a step of the writing holds the write
	// connection, in rows.
	keyUsesPerTransaction = 500
)

// keyUses are last uses of keys that are not written yet. Noting one never waits
// for the disk.
type keyUses struct {
	writer *sql.DB
	failed func(error)

	mu      sync.Mutex
	pending map[string]time.Time // by key id
	timer   *time.Timer
	closed  bool
}

// note keeps a use for the next writing.
func (u *keyUses) note(keyID string, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, known := u.pending[keyID]; known || u.closed || len(u.pending) >= maxPendingKeyUses {
		return
	}
	if u.pending == nil {
		u.pending = make(map[string]time.Time)
		u.timer = time.AfterFunc(keyUseInterval, u.writeLater)
	}
	u.pending[keyID] = at
}

func (u *keyUses) writeLater() {
	if err := u.write(context.Background()); err != nil && u.failed != nil {
		u.failed(err)
	}
}

// write stores what was noted. What cannot be stored is lost: the key's next use
// comes.
func (u *keyUses) write(ctx context.Context) error {
	u.mu.Lock()
	taken := u.pending
	u.pending = nil
	u.mu.Unlock()
	step := make(map[string]time.Time, min(len(taken), keyUsesPerTransaction))
	for keyID, at := range taken {
		step[keyID] = at
		if len(step) < keyUsesPerTransaction {
			continue
		}
		if err := u.writeStep(ctx, step); err != nil {
			return err
		}
		clear(step)
	}
	return u.writeStep(ctx, step)
}

func (u *keyUses) writeStep(ctx context.Context, uses map[string]time.Time) (err error) {
	if len(uses) == 0 {
		return nil
	}
	tx, err := u.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write the last uses of keys: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write the last uses of keys: %w", errors.Join(err, tx.Rollback()))
		}
	}()
	for keyID, at := range uses {
		used := storedTime(at)
		if _, err := tx.ExecContext(ctx, `UPDATE api_keys SET last_used_at = ? WHERE id = ? AND last_used_at < ?`, used, keyID, used); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// close writes what still waits.
func (u *keyUses) close() error {
	u.mu.Lock()
	u.closed = true
	if u.timer != nil {
		u.timer.Stop()
	}
	u.mu.Unlock()
	return u.write(context.Background())
}

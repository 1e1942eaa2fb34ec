package accounts

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// LastUseInterval is how far a session's last use may lag behind: it moves at
	// most once in that time.
	LastUseInterval = 10 * time.Minute
	// lastUseDelay is how long noted uses wait for others to be written with.
	lastUseDelay = 2 * time.Second
	// maxPendingUses bounds the sessions that wait, in entries. One beyond it is
	// noted at its next use.
	maxPendingUses = 10_000
	// usesPerTransaction bounds how long a step of the writing holds the write
	// connection, in rows.
	usesPerTransaction = 500
)

// lastUses are uses that are not written yet.
type lastUses struct {
	mu      sync.Mutex
	pending map[string]time.Time // by session id
	timer   *time.Timer
	closed  bool
}

// Used notes that a living session was used. It never waits for the disk.
func (s *Sessions) Used(session Session) {
	now := s.now().UTC().Truncate(time.Millisecond)
	if now.Sub(session.LastUsedAt) < LastUseInterval {
		return
	}
	if s.uses.note(session.ID, now, s.writeLater) {
		s.cache.used(session.ID, now)
	}
}

// note tells whether the use will be written.
func (u *lastUses) note(sessionID string, at time.Time, write func()) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed || len(u.pending) >= maxPendingUses {
		return false
	}
	if u.pending == nil {
		u.pending = make(map[string]time.Time)
		u.timer = time.AfterFunc(lastUseDelay, write)
	}
	u.pending[sessionID] = at
	return true
}

// take empties the list.
func (u *lastUses) take() map[string]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	taken := u.pending
	u.pending = nil
	return taken
}

func (s *Sessions) writeLater() {
	if err := s.WriteUses(context.Background()); err != nil {
		s.observer.Failed(err)
	}
}

// WriteUses writes the last uses that were noted. Those that cannot be written
// are lost; a session's next one comes within LastUseInterval.
func (s *Sessions) WriteUses(ctx context.Context) error {
	taken := s.uses.take()
	step := make(map[string]time.Time, min(len(taken), usesPerTransaction))
	for sessionID, at := range taken {
		step[sessionID] = at
		if len(step) < usesPerTransaction {
			continue
		}
		if err := s.writeUses(ctx, step); err != nil {
			return err
		}
		clear(step)
	}
	return s.writeUses(ctx, step)
}

func (s *Sessions) writeUses(ctx context.Context, uses map[string]time.Time) (err error) {
	if len(uses) == 0 {
		return nil
	}
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write last uses: %w", err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("write last uses: %w", errors.Join(err, tx.Rollback()))
		}
	}()
	for sessionID, at := range uses {
		used := formatTime(at)
		_, err := tx.ExecContext(ctx, `UPDATE sessions SET last_used_at = ? WHERE id = ? AND last_used_at < ?`, used, sessionID, used)
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Close writes what still waits. Sessions can be found after it, but their uses
// are no longer noted.
func (s *Sessions) Close() error {
	s.uses.mu.Lock()
	s.uses.closed = true
	if s.uses.timer != nil {
		s.uses.timer.Stop()
	}
	s.uses.mu.Unlock()
	return s.WriteUses(context.Background())
}

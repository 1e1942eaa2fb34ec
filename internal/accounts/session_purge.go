package accounts

import (
	"context"
	"errors"
	"fmt"
)

// DeleteExpired removes dead rows, at most limit of them, and returns how many.
func (s *Sessions) DeleteExpired(ctx context.Context, limit int64) (int64, error) {
	result, err := s.writer.ExecContext(ctx,
		`DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= ? LIMIT ?)`, formatTime(s.now()), limit)
	if err != nil {
		return 0, fmt.Errorf("delete expired sessions: %w", err)
	}
	return result.RowsAffected()
}

// DeleteOutdated removes a user's rows that a new token key has ended. They are
// dead without it; it keeps them from being shown as if they were not.
func (s *Sessions) DeleteOutdated(ctx context.Context, userID, tokenKey string) error {
	var outdated bool
	err := s.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sessions WHERE user = ? AND token_key_hash != ?)`,
		userID, tokenHash(tokenKey)).Scan(&outdated)
	if err != nil || !outdated {
		return err
	}
	return s.deleteOutdated(ctx, userID)
}

// deleteOutdated looks at the key inside its transaction: the caller's may be the
// one before the last, and sessions of the last are alive.
func (s *Sessions) deleteOutdated(ctx context.Context, userID string) (err error) {
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("delete ended sessions: %w", errors.Join(err, tx.Rollback()))
		}
	}()
	var current string
	if err := tx.QueryRowContext(ctx, `SELECT tokenKey FROM users WHERE id = ?`, userID).Scan(&current); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM sessions WHERE user = ? AND token_key_hash != ?`, userID, tokenHash(current))
	if err != nil {
		return err
	}
	return tx.Commit()
}

package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const putBooksMark = `INSERT INTO books_mark (only, entry_id, entry_hash, created_at) VALUES (1, ?, ?, ?)
ON CONFLICT (only) DO UPDATE SET entry_id = excluded.entry_id, entry_hash = excluded.entry_hash, created_at = excluded.created_at`

// BooksMark is the newest entry that the running check has verified; an empty id
// when it never has.
func (s *Store) BooksMark(ctx context.Context) (entryID, hash string, err error) {
	err = s.reader.QueryRowContext(ctx, `SELECT entry_id, entry_hash FROM books_mark`).Scan(&entryID, &hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", "", fmt.Errorf("read how far the books were checked: %w", err)
	}
	return entryID, hash, nil
}

// SetBooksMark keeps how far the running check has come.
func (s *Store) SetBooksMark(ctx context.Context, entryID, hash string, now time.Time) error {
	if _, err := s.writer.ExecContext(ctx, putBooksMark, entryID, hash, formatTime(now)); err != nil {
		return fmt.Errorf("keep how far the books were checked: %w", err)
	}
	return nil
}

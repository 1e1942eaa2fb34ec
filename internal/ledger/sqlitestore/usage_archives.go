package sqlitestore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sokuji/internal/usagearchive"
)

var _ usagearchive.Store = (*Store)(nil)

const archiveColumns = `file, first_id, last_id, rows, tokens, cutoff, sha256, created_at`

// In the order of rowid, which is that of storing: no index on created_at exists,
// and none is worth its price at every use. A row without a time is never old.
const (
	selectNextUsage = `SELECT COUNT(*), COALESCE(MAX(place), 0) FROM (SELECT rowid AS place FROM usage_logs WHERE rowid > ? ORDER BY rowid LIMIT ?)`
	selectOldUsage  = `SELECT rowid, * FROM usage_logs WHERE rowid > ? AND rowid <= ? AND created_at > '' AND created_at < ? ORDER BY rowid LIMIT ?`
)

const removeUsage = `DELETE FROM usage_logs WHERE id IN (SELECT value FROM json_each(?))`

// OldUsage looks at a page of usage rows on the read connection.
func (s *Store) OldUsage(ctx context.Context, cutoff time.Time, after int64, look, limit int) (page usagearchive.Page, err error) {
	err = s.reader.QueryRowContext(ctx, selectNextUsage, after, look).Scan(&page.Looked, &page.Last)
	if err != nil {
		return page, fmt.Errorf("read usage rows: %w", err)
	}
	page.IsEnd = page.Looked < int64(look)
	rows, err := s.reader.QueryContext(ctx, selectOldUsage, after, page.Last, formatTime(cutoff), limit)
	if err != nil {
		return page, fmt.Errorf("read usage rows: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	columns, err := usageColumnsOf(rows)
	if err != nil {
		return page, err
	}
	for rows.Next() {
		var place int64
		values, targets := columns.targets(&place)
		if err := rows.Scan(targets...); err != nil {
			return page, fmt.Errorf("read a usage row: %w", err)
		}
		row, err := columns.row(values)
		if err != nil {
			return page, err
		}
		page.Rows = append(page.Rows, row)
		if len(page.Rows) == limit { // more may follow before what was looked at ends
			page.Last, page.IsEnd = place, false
		}
	}
	return page, rows.Err()
}

// HasArchive looks a file up; the column compares names without their case.
func (s *Store) HasArchive(ctx context.Context, file string) (found bool, err error) {
	err = s.reader.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM usage_archives WHERE file = ?)`, file).Scan(&found)
	return found, err
}

// AddArchive commits a manifest.
func (s *Store) AddArchive(ctx context.Context, a usagearchive.Archive) error {
	_, err := s.writer.ExecContext(ctx, `INSERT INTO usage_archives (`+archiveColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		a.File, a.FirstID, a.LastID, a.Rows, a.Tokens, formatTime(a.Cutoff), a.SHA256, formatTime(a.CreatedAt))
	return err
}

// UnfinishedArchives lists manifests whose rows may not be gone yet. Whatever is
// removed after it, the list's total knows of.
func (s *Store) UnfinishedArchives(ctx context.Context) ([]usagearchive.Archive, error) {
	if err := s.loadArchiveCutoff(ctx); err != nil {
		return nil, err
	}
	rows, err := s.reader.QueryContext(ctx, `SELECT id, `+archiveColumns+` FROM usage_archives WHERE removed = 0 ORDER BY id`)
	return scanAll(rows, err, scanArchive)
}

// RemoveUsage removes usage rows in one short transaction of its own.
func (s *Store) RemoveUsage(ctx context.Context, ids []string) error {
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	_, err = s.writer.ExecContext(ctx, removeUsage, string(list))
	return err
}

// FinishArchive sets the flag of a manifest.
func (s *Store) FinishArchive(ctx context.Context, id int64) error {
	_, err := s.writer.ExecContext(ctx, `UPDATE usage_archives SET removed = 1 WHERE id = ?`, id)
	return err
}

// loadArchiveCutoff reads before when usage rows may be gone; empty: none is.
func (s *Store) loadArchiveCutoff(ctx context.Context) error {
	var cutoff string
	err := s.reader.QueryRowContext(ctx, `SELECT COALESCE(MAX(cutoff), '') FROM usage_archives`).Scan(&cutoff)
	if err != nil {
		return fmt.Errorf("read the cutoff of the usage archives: %w", err)
	}
	s.archiveCutoff.Store(&cutoff)
	return nil
}

func scanArchive(r row) (a usagearchive.Archive, found bool, err error) {
	var cutoff, created string
	if err := r.Scan(&a.ID, &a.File, &a.FirstID, &a.LastID, &a.Rows, &a.Tokens, &cutoff, &a.SHA256, &created); err != nil {
		return a, false, fmt.Errorf("read a usage archive: %w", err)
	}
	if a.Cutoff, err = parseTime(cutoff); err != nil {
		return a, false, fmt.Errorf("usage archive %d: cutoff: %w", a.ID, err)
	}
	if a.CreatedAt, err = parseTime(created); err != nil {
		return a, false, fmt.Errorf("usage archive %d: created_at: %w", a.ID, err)
	}
	return a, true, nil
}

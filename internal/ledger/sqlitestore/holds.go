package sqlitestore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sokuji/internal/ledger"
)

const holdColumns = `id, subject_type, subject_id, amount_tokens, state, reference, expires_at, created_at, closed_at, ledger_id, api_key`

const selectHold = `SELECT ` + holdColumns + ` FROM wallet_holds WHERE id = ?`

// The open holds of everybody are few, while a wallet's closed ones only grow.
const selectOpenHolds = `SELECT ` + holdColumns + ` FROM wallet_holds INDEXED BY idx_wallet_holds_due
WHERE state = 'open' AND subject_id = ? AND subject_type = ? ORDER BY id`

const putHold = `INSERT INTO wallet_holds (` + holdColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET amount_tokens = excluded.amount_tokens, state = excluded.state,
expires_at = excluded.expires_at, closed_at = excluded.closed_at, ledger_id = excluded.ledger_id, api_key = excluded.api_key`

const selectDueHolds = `SELECT subject_type, subject_id, expires_at, id FROM wallet_holds
WHERE state = 'open' AND expires_at <= ? AND (expires_at, id) > (?, ?) ORDER BY expires_at, id LIMIT ?`

func (t *tx) Hold(id string) (ledger.HoldRow, bool, error) {
	return scanHold(t.sql.Stmt(t.statements.selectHold).QueryRow(id))
}

func (t *tx) OpenHolds(subject ledger.Subject) ([]ledger.HoldRow, error) {
	rows, err := t.sql.Stmt(t.statements.selectOpenHolds).Query(subject.ID, string(subject.Type))
	return scanAll(rows, err, scanHold)
}

func (t *tx) writeHolds(changes *ledger.Changes) error {
	put := t.sql.Stmt(t.statements.putHold)
	for _, h := range changes.Holds {
		_, err := put.Exec(h.ID, string(h.Subject.Type), h.Subject.ID, h.Amount, string(h.State), h.Reference,
			formatTime(h.ExpiresAt), formatTime(h.CreatedAt), timeOrEmpty(h.ClosedAt), h.LedgerID, h.KeyID)
		if err != nil {
			return fmt.Errorf("put a hold: %w", err)
		}
	}
	return nil
}

// Hold finds one hold by its id.
func (s *Store) Hold(ctx context.Context, id string) (ledger.HoldRow, bool, error) {
	return scanHold(s.reader.QueryRowContext(ctx, selectHold, id))
}

// Holds reads a page of a wallet's holds, newest first.
func (s *Store) Holds(ctx context.Context, query ledger.HoldQuery) (ledger.Page[ledger.HoldRow], error) {
	f := forSubject(query.Subject)
	table := f.ofState(query.State)
	var page ledger.Page[ledger.HoldRow]
	var err error
	if !query.WithoutTotal {
		if page.Total, err = s.countUpTo(ctx, table, f, ledger.MaxCounted); err != nil {
			return page, err
		}
	}
	if query.BeforeID != "" {
		f.add("id < ?", query.BeforeID)
	}
	text := `SELECT ` + holdColumns + ` FROM ` + table + f.where() + ` ORDER BY id DESC LIMIT ? OFFSET ?`
	page.Rows, page.More, err = list(ctx, s.reader, text, append(f.arguments, query.Limit+1, query.Offset), query.Limit, scanHold)
	return page, err
}

// ofState adds a state, and returns what to read from: open holds are few, and so
// is what their index has.
func (f *filter) ofState(state ledger.HoldState) (table string) {
	if state == ledger.HoldOpen {
		f.add("state = 'open'")
		return "wallet_holds INDEXED BY idx_wallet_holds_due"
	}
	f.text("state", string(state))
	return "wallet_holds"
}

// DueHolds lists open holds whose deadline has passed.
func (s *Store) DueHolds(ctx context.Context, now time.Time, after ledger.DuePosition, limit int) ([]ledger.Due, error) {
	return s.due(ctx, selectDueHolds, now, after, limit)
}

func (s *Store) due(ctx context.Context, query string, now time.Time, after ledger.DuePosition, limit int) ([]ledger.Due, error) {
	rows, err := s.reader.QueryContext(ctx, query, formatTime(now), timeOrEmpty(after.ExpiresAt), after.ID, limit)
	return scanAll(rows, err, scanDue)
}

func scanDue(r row) (due ledger.Due, found bool, err error) {
	var expires string
	if err := r.Scan(&due.Subject.Type, &due.Subject.ID, &expires, &due.ID); err != nil {
		return due, false, fmt.Errorf("read what is due: %w", err)
	}
	due.ExpiresAt, err = parseTime(expires)
	return due, err == nil, err
}

// scanAll reads every row of a short list.
func scanAll[T any](rows *sql.Rows, err error, scan func(row) (T, bool, error)) (found []T, _ error) {
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		one, _, err := scan(rows)
		if err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		found = append(found, one)
	}
	return found, errors.Join(rows.Err(), rows.Close())
}

func scanHold(r row) (ledger.HoldRow, bool, error) {
	var h ledger.HoldRow
	var expires, created, closed string
	err := r.Scan(&h.ID, &h.Subject.Type, &h.Subject.ID, &h.Amount, &h.State, &h.Reference, &expires, &created, &closed, &h.LedgerID, &h.KeyID)
	if errors.Is(err, sql.ErrNoRows) {
		return h, false, nil
	}
	if err != nil {
		return h, false, fmt.Errorf("read a hold: %w", err)
	}
	if h.ExpiresAt, err = parseTime(expires); err != nil {
		return h, false, fmt.Errorf("hold %s: expires_at: %w", h.ID, err)
	}
	if h.CreatedAt, err = parseTime(created); err != nil {
		return h, false, fmt.Errorf("hold %s: created_at: %w", h.ID, err)
	}
	if closed != "" {
		if h.ClosedAt, err = parseTime(closed); err != nil {
			return h, false, fmt.Errorf("hold %s: closed_at: %w", h.ID, err)
		}
	}
	return h, true, nil
}

// timeOrEmpty leaves the column empty for the zero time.
func timeOrEmpty(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return formatTime(t)
}

// encoded is a value as JSON text, or NULL for nothing.
func encoded[T any](value T, nothing bool) (any, error) {
	if nothing {
		return nil, nil
	}
	text, err := json.Marshal(value)
	return string(text), err
}

func decode(text sql.NullString, target any) error {
	if !text.Valid || text.String == "" {
		return nil
	}
	return json.Unmarshal([]byte(text.String), target)
}

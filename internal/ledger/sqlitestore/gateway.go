package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sokuji/internal/ledger"
)

// The open holds of everybody are few.
const selectOpenHoldsNamed = `SELECT ` + holdColumns + ` FROM wallet_holds INDEXED BY idx_wallet_holds_due
WHERE state = 'open' AND substr(reference, 1, ?) = ? ORDER BY id`

const selectHasRequest = `SELECT 1 FROM wallet_requests WHERE subject_id = ? AND kind = ? AND idempotency_key = ? AND subject_type = ?`

// OpenHoldsNamed lists all open holds whose reference begins with a prefix.
func (s *Store) OpenHoldsNamed(ctx context.Context, prefix string) ([]ledger.HoldRow, error) {
	rows, err := s.reader.QueryContext(ctx, selectOpenHoldsNamed, len(prefix), prefix)
	return scanAll(rows, err, scanHold)
}

// HasRequest tells whether a request was finished under an idempotency key.
func (s *Store) HasRequest(ctx context.Context, key ledger.RequestKey) (bool, error) {
	var one int
	err := s.reader.QueryRowContext(ctx, selectHasRequest, key.Subject.ID, string(key.Kind), key.Key, string(key.Subject.Type)).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for a finished request: %w", err)
	}
	return true, nil
}

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

// The conditions are those of the index, word for word. What a client records by
// itself was settled by nobody, and could name any answer as its own.
const selectResponseTokens = `SELECT input_tokens + output_tokens FROM usage_logs INDEXED BY idx_usage_logs_responses
WHERE response_id = ? AND endpoint = '/v1/responses' AND response_id != '' AND subject_id = ? AND subject_type = ? AND settled_by != ''
ORDER BY 1 DESC LIMIT 1`

// ResponseTokens is how many tokens went into and came out of an answer of
// /v1/responses, if a wallet paid for one of that id.
func (s *Store) ResponseTokens(ctx context.Context, subject ledger.Subject, responseID string) (tokens int64, isKnown bool, err error) {
	err = s.reader.QueryRowContext(ctx, selectResponseTokens, responseID, subject.ID, string(subject.Type)).Scan(&tokens)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("look for an answer: %w", err)
	}
	return tokens, true, nil
}

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

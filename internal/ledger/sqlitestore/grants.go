package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sokuji/internal/ledger"
)

const grantColumns = `id, subject_type, subject_id, amount_tokens, remaining_tokens, expired_tokens, state, expires_at, created_at`

const selectGrant = `SELECT ` + grantColumns + ` FROM wallet_grants WHERE id = ?`

const selectGrants = `SELECT ` + grantColumns + ` FROM wallet_grants
WHERE subject_id = ? AND subject_type = ? AND state = 'live' AND remaining_tokens > 0 ORDER BY expires_at, id`

const putGrant = `INSERT INTO wallet_grants (` + grantColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET remaining_tokens = excluded.remaining_tokens, expired_tokens = excluded.expired_tokens,
state = excluded.state`

const insertMove = `INSERT INTO wallet_grant_moves (ledger_id, grant_id, tokens) VALUES (?, ?, ?)`

// sumMoves adds up what an entry and the refunds of it moved.
const sumMoves = `SELECT grant_id, SUM(tokens) FROM wallet_grant_moves WHERE ledger_id IN (
	SELECT ?1 UNION ALL
	SELECT id FROM wallet_ledger WHERE reference_id = ?1 AND event_type = 'refund' AND reference_type = 'ledger'
) GROUP BY grant_id`

const selectDueGrants = `SELECT subject_type, subject_id, expires_at, id FROM wallet_grants
WHERE state = 'live' AND expires_at <= ? AND (expires_at, id) > (?, ?) ORDER BY expires_at, id LIMIT ?`

func (t *tx) Grant(id string) (ledger.Grant, bool, error) {
	return scanGrant(t.sql.Stmt(t.statements.selectGrant).QueryRow(id))
}

func (t *tx) Grants(subject ledger.Subject) ([]ledger.Grant, error) {
	rows, err := t.sql.Stmt(t.statements.selectGrants).Query(subject.ID, string(subject.Type))
	return scanAll(rows, err, scanGrant)
}

func (t *tx) GrantMoves(entryID string) (map[string]int64, error) {
	rows, err := t.sql.Stmt(t.statements.sumMoves).Query(entryID)
	moves, err := scanAll(rows, err, func(r row) (move ledger.GrantMove, found bool, err error) {
		err = r.Scan(&move.GrantID, &move.Tokens)
		return move, err == nil, err
	})
	sums := make(map[string]int64, len(moves))
	for _, move := range moves {
		sums[move.GrantID] = move.Tokens
	}
	return sums, err
}

func (t *tx) writeGrants(changes *ledger.Changes) error {
	put := t.sql.Stmt(t.statements.putGrant)
	for _, g := range changes.Grants {
		_, err := put.Exec(g.ID, string(g.Subject.Type), g.Subject.ID, g.Amount, g.Remaining, g.Expired, string(g.State),
			formatTime(g.ExpiresAt), formatTime(g.CreatedAt))
		if err != nil {
			return fmt.Errorf("put a grant: %w", err)
		}
	}
	insert := t.sql.Stmt(t.statements.insertMove)
	for _, m := range changes.Moves {
		if _, err := insert.Exec(m.LedgerID, m.GrantID, m.Tokens); err != nil {
			return fmt.Errorf("insert a grant's move: %w", err)
		}
	}
	return nil
}

// DueGrants lists live grants whose time is over.
func (s *Store) DueGrants(ctx context.Context, now time.Time, after ledger.DuePosition, limit int) ([]ledger.Due, error) {
	return s.due(ctx, selectDueGrants, now, after, limit)
}

// Grants lists a wallet's live grants with tokens left, soonest expiry first.
func (s *Store) Grants(ctx context.Context, subject ledger.Subject) ([]ledger.Grant, error) {
	rows, err := s.reader.QueryContext(ctx, selectGrants, subject.ID, string(subject.Type))
	return scanAll(rows, err, scanGrant)
}

func scanGrant(r row) (ledger.Grant, bool, error) {
	var g ledger.Grant
	var expires, created string
	err := r.Scan(&g.ID, &g.Subject.Type, &g.Subject.ID, &g.Amount, &g.Remaining, &g.Expired, &g.State, &expires, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return g, false, nil
	}
	if err != nil {
		return g, false, fmt.Errorf("read a grant: %w", err)
	}
	if g.ExpiresAt, err = parseTime(expires); err != nil {
		return g, false, fmt.Errorf("grant %s: expires_at: %w", g.ID, err)
	}
	if g.CreatedAt, err = parseTime(created); err != nil {
		return g, false, fmt.Errorf("grant %s: created_at: %w", g.ID, err)
	}
	return g, true, nil
}

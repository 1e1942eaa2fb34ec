package sqlitestore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sokuji/internal/ledger"
)

const selectSpending = `SELECT key_id, tokens, held_tokens, day, day_tokens, month, month_tokens
FROM api_key_spending WHERE key_id = ?`

const putSpending = `INSERT INTO api_key_spending (key_id, tokens, held_tokens, day, day_tokens, month, month_tokens)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key_id) DO UPDATE SET tokens = excluded.tokens, held_tokens = excluded.held_tokens,
day = excluded.day, day_tokens = excluded.day_tokens, month = excluded.month, month_tokens = excluded.month_tokens`

func (t *tx) KeySpending(keyID string) (ledger.KeySpending, bool, error) {
	return scanSpending(t.sql.Stmt(t.statements.selectSpending).QueryRow(keyID))
}

func (t *tx) writeSpending(changes *ledger.Changes) error {
	put := t.sql.Stmt(t.statements.putSpending)
	for _, k := range changes.Spending {
		_, err := put.Exec(k.KeyID, k.Tokens, k.HeldTokens, k.Day, k.DayTokens, k.Month, k.MonthTokens)
		if err != nil {
			return fmt.Errorf("put the spending of a key: %w", err)
		}
	}
	return nil
}

// KeySpending is what an API key has spent so far, all zero for one that never
// did.
func (s *Store) KeySpending(ctx context.Context, keyID string) (ledger.KeySpending, error) {
	spending, found, err := scanSpending(s.reader.QueryRowContext(ctx, selectSpending, keyID))
	if !found {
		spending = ledger.KeySpending{KeyID: keyID}
	}
	return spending, err
}

func scanSpending(r row) (ledger.KeySpending, bool, error) {
	var k ledger.KeySpending
	err := r.Scan(&k.KeyID, &k.Tokens, &k.HeldTokens, &k.Day, &k.DayTokens, &k.Month, &k.MonthTokens)
	if errors.Is(err, sql.ErrNoRows) {
		return k, false, nil
	}
	if err != nil {
		return k, false, fmt.Errorf("read the spending of a key: %w", err)
	}
	return k, true, nil
}

package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"sokuji/internal/ledger"
)

// WalletOwner tells whose wallet has an id, as seen by a transaction.
func WalletOwner(ctx context.Context, tx *sql.Tx, id string) (subject ledger.Subject, found bool, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT subject_type, subject_id FROM wallets WHERE id = ?`, id)
	owners, err := scanAll(rows, err, func(r row) (s ledger.Subject, _ bool, err error) {
		err = r.Scan(&s.Type, &s.ID)
		return s, err == nil, err
	})
	if err != nil || len(owners) == 0 {
		return ledger.Subject{}, false, err
	}
	return owners[0], true, nil
}

// ImportedWallet is the row of a wallet that comes from another backend, without
// its balance: that follows from its entries.
type ImportedWallet struct {
	Subject   ledger.Subject
	IsFrozen  bool
	CreatedAt time.Time
	UpdatedAt time.Time
}

// CreateImportedWallet adds an empty wallet inside a transaction of the caller. A
// frozen one is frozen for the reason ledger.FrozenImported, and audited under the
// given id.
func CreateImportedWallet(ctx context.Context, tx *sql.Tx, wallet ImportedWallet, auditID string, now time.Time) error {
	reason := ""
	if wallet.IsFrozen {
		reason = ledger.FrozenImported
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO wallets (id, subject_type, subject_id, frozen, frozen_reason, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?)`, wallet.Subject.ID, string(wallet.Subject.Type), wallet.Subject.ID, wallet.IsFrozen, reason,
		formatTime(wallet.CreatedAt), formatTime(wallet.UpdatedAt))
	if err != nil {
		return fmt.Errorf("insert an imported wallet: %w", err)
	}
	if !wallet.IsFrozen {
		return nil
	}
	_, err = tx.ExecContext(ctx, insertAudit, auditID, "import", "wallet."+string(ledger.KindFreeze),
		string(wallet.Subject.Type), wallet.Subject.ID, reason, nil, formatTime(now))
	if err != nil {
		return fmt.Errorf("audit an imported wallet: %w", err)
	}
	return nil
}

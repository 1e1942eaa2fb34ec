package accounts

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pocketbase/dbx"

	"sokuji/internal/ledger"
)

// ReasonDeleted is why the wallet of a deleted user is frozen. No mint lifts it.
const ReasonDeleted = "deleted"

// Closing is a note that the wallet of a deleted user is to be frozen.
type Closing struct {
	UserID string `db:"user_id"`
	Actor  string `db:"actor"` // who deleted the user, such as "user:abc"
}

// NoteClosing notes down, inside the transaction that deletes a user, that the
// wallet is to be frozen. A second note for the same user changes nothing.
func NoteClosing(tx dbx.Builder, closing Closing) error {
	_, err := tx.NewQuery(`INSERT INTO wallet_closings (user_id, actor) VALUES ({:user}, {:actor}) ON CONFLICT DO NOTHING`).
		Bind(dbx.Params{"user": closing.UserID, "actor": closing.Actor}).Execute()
	if err != nil {
		return fmt.Errorf("note the closing of a wallet: %w", err)
	}
	return nil
}

// Closings returns at most limit notes that nobody has carried out yet.
func Closings(db dbx.Builder, limit int64) ([]Closing, error) {
	var closings []Closing
	err := db.Select("user_id", "actor").From("wallet_closings").OrderBy("user_id").Limit(limit).All(&closings)
	if err != nil {
		return nil, fmt.Errorf("read the wallets to close: %w", err)
	}
	return closings, nil
}

// ForgetClosing takes the note of a wallet away that is frozen now.
func ForgetClosing(db dbx.Builder, userID string) error {
	_, err := db.NewQuery(`DELETE FROM wallet_closings WHERE user_id = {:user}`).Bind(dbx.Params{"user": userID}).Execute()
	if err != nil {
		return fmt.Errorf("forget the closing of a wallet: %w", err)
	}
	return nil
}

// WasDeleted tells whether a user who is not here was: the wallet of such a one is
// closed, or noted down to be. That it was closed stays in the audit log, also when
// somebody has unfrozen it since.
func WasDeleted(ctx context.Context, tx *sql.Tx, userID string) (deleted bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM wallet_closings WHERE user_id = ?)
		OR EXISTS (SELECT 1 FROM audit_log WHERE subject_id = ? AND subject_type = ? AND action = ? AND reason = ?)`,
		userID, userID, string(ledger.SubjectUser), "wallet."+string(ledger.KindFreeze), ReasonDeleted).Scan(&deleted)
	if err != nil {
		return false, fmt.Errorf("look for the closing of a wallet: %w", err)
	}
	return deleted, nil
}

package accounts

import (
	"fmt"

	"github.com/pocketbase/dbx"
)

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

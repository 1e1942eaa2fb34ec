package accounts

import (
	"fmt"

	"github.com/pocketbase/dbx"

	"sokuji/internal/ledger"
)

// Remove takes away what Provision gave, inside the transaction that deletes the
// user. The wallet and its ledger stay: books are never torn up.
func Remove(tx dbx.Builder, userID string) error {
	_, err := tx.NewQuery(`DELETE FROM app_user WHERE better_auth_user_id = {:user}`).
		Bind(dbx.Params{"user": userID}).Execute()
	if err != nil {
		return fmt.Errorf("remove a user's rows: %w", err)
	}
	return disentitle(tx, ledger.UserSubject(userID))
}

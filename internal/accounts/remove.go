package accounts

import (
	"fmt"

	"github.com/pocketbase/dbx"

	"sokuji/internal/ledger"
)

// Remove takes away what Provision gave, inside the transaction that deletes the
// user. The wallet and its ledger stay: books are never torn up.
func Remove(tx dbx.Builder, userID string) error {
	params := dbx.Params{"user": userID, "subject": string(ledger.SubjectUser)}
	for _, statement := range []string{
		`DELETE FROM app_user WHERE better_auth_user_id = {:user}`,
		`DELETE FROM entitlements WHERE subject_id = {:user} AND subject_type = {:subject}`,
	} {
		if _, err := tx.NewQuery(statement).Bind(params).Execute(); err != nil {
			return fmt.Errorf("remove a user's rows: %w", err)
		}
	}
	return nil
}

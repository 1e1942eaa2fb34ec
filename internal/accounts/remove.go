package accounts

import (
	"fmt"

	"github.com/pocketbase/dbx"

	"sokuji/internal/ledger"
)

// Remove takes away what Provision gave, inside the transaction that deletes the
// user, and notes down that the wallet is to be frozen. The wallet and its ledger
// stay, and name nobody any more: books are never torn up. Of what payment providers
// sent about the user, the events' ids stay, so that none is paid out again. Sessions,
// API keys, memberships and hashes hang on the user's row and go with it.
func Remove(tx dbx.Builder, user Closing) error {
	_, err := tx.NewQuery(`DELETE FROM app_user WHERE better_auth_user_id = {:user}`).
		Bind(dbx.Params{"user": user.UserID}).Execute()
	if err != nil {
		return fmt.Errorf("remove a user's rows: %w", err)
	}
	if err := disentitle(tx, ledger.UserSubject(user.UserID)); err != nil {
		return err
	}
	if err := emptyWebhooks(tx, user.UserID); err != nil {
		return err
	}
	return NoteClosing(tx, user)
}

func emptyWebhooks(tx dbx.Builder, userID string) error {
	_, err := tx.NewQuery(`UPDATE webhook_logs
		SET user_id = '', raw_payload = '', headers = NULL, error_message = '', webhook_signature = '', ip_address = ''
		WHERE user_id = {:user}`).Bind(dbx.Params{"user": userID}).Execute()
	if err != nil {
		return fmt.Errorf("empty the webhooks of a user: %w", err)
	}
	return nil
}

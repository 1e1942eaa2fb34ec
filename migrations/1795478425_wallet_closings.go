package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Wallets of deleted users that are still to be frozen: a note in the transaction
// that deletes the user, gone with the freeze. Not a collection: nobody but the
// server has a use for it.
func init() {
	m.Register(func(app core.App) error {
		return execute(app, `
			CREATE TABLE wallet_closings (
				user_id TEXT PRIMARY KEY NOT NULL,
				actor   TEXT NOT NULL
			) WITHOUT ROWID`)
	}, nil)
}

package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Minted tokens with an expiry. A grant has the id of the mint entry that made
// it; remaining_tokens is the sum of its rows in wallet_grant_moves,
// expired_tokens what adjust entries took back at its expiry, and a wallet's expiring_tokens the sum over its live grants.
func init() {
	m.Register(func(app core.App) error {
		collection := newCollection("wallet_grants", append(subject(),
			integer("amount_tokens"),
			integer("remaining_tokens"),
			integer("expired_tokens"),
			&core.SelectField{Name: "state", Values: []string{"live", "expired"}, MaxSelect: 1, Required: true},
			date("expires_at"),
			date("created_at"),
		)...)
		collection.AddIndex("idx_wallet_grants_subject", false, "subject_id, expires_at", "")
		collection.AddIndex("idx_wallet_grants_due", false, "expires_at", "state = 'live'")
		visible(collection, ownedRule)
		if err := app.Save(collection); err != nil {
			return err
		}
		wallets, err := app.FindCollectionByNameOrId("wallets")
		if err != nil {
			return err
		}
		wallets.Fields.Add(integer("expiring_tokens"))
		if err := app.Save(wallets); err != nil {
			return err
		}
		err = execute(app, `
			CREATE TRIGGER wallet_grants_no_delete BEFORE DELETE ON wallet_grants
			BEGIN SELECT RAISE(ABORT, 'grants are never deleted'); END`, `
			CREATE TRIGGER wallet_grants_keep_terms BEFORE UPDATE OF id, subject_type, subject_id, amount_tokens, expires_at ON wallet_grants
			BEGIN SELECT RAISE(ABORT, 'a grant never changes its terms'); END`, `
			CREATE TABLE wallet_grant_moves (
				ledger_id  TEXT NOT NULL,
				grant_id   TEXT NOT NULL,
				tokens     INTEGER NOT NULL,
				PRIMARY KEY (ledger_id, grant_id)
			) WITHOUT ROWID`)
		if err != nil {
			return err
		}
		return appendOnly(app, "wallet_grant_moves")
	}, nil)
}

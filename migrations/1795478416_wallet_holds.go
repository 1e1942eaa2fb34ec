package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Reserved tokens. An open hold counts in its wallet's held_tokens; a hold that
// was settled or released never changes again.
func init() {
	m.Register(func(app core.App) error {
		collection := newCollection("wallet_holds", append(subject(),
			integer("amount_tokens"),
			&core.SelectField{Name: "state", Values: []string{"open", "settled", "released", "expired"}, MaxSelect: 1, Required: true},
			text("reference"),
			date("expires_at"),
			date("created_at"),
			date("closed_at"),
			text("ledger_id"),
		)...)
		collection.AddIndex("idx_wallet_holds_subject", false, "subject_id, id", "")
		collection.AddIndex("idx_wallet_holds_due", false, "expires_at", "state = 'open'")
		visible(collection, ownedRule)
		if err := app.Save(collection); err != nil {
			return err
		}
		return execute(app, `
			CREATE TRIGGER wallet_holds_no_delete BEFORE DELETE ON wallet_holds
			BEGIN SELECT RAISE(ABORT, 'holds are never deleted'); END`, `
			CREATE TRIGGER wallet_holds_closed_once BEFORE UPDATE ON wallet_holds WHEN OLD.state IN ('settled', 'released')
			BEGIN SELECT RAISE(ABORT, 'a closed hold never changes'); END`, `
			CREATE TRIGGER wallet_holds_keep_owner BEFORE UPDATE OF id, subject_type, subject_id ON wallet_holds
			BEGIN SELECT RAISE(ABORT, 'a hold never changes its wallet'); END`)
	}, nil)
}

package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// A wallet's id is its subject's id. Only the ledger's store writes this table.
func init() {
	m.Register(func(app core.App) error {
		collection := newCollection("wallets", append(subject(),
			integer("balance_tokens"),
			integer("held_tokens"),
			flag("frozen"),
			text("frozen_reason"),
			integer("seq"),
			text("head_hash"),
			createdAt(),
			updatedAt(),
		)...)
		collection.AddIndex("idx_wallets_subject", true, "subject_id, subject_type", "")
		visible(collection, ownedRule)
		if err := app.Save(collection); err != nil {
			return err
		}
		return execute(app, `
			CREATE TRIGGER wallets_no_delete BEFORE DELETE ON wallets
			BEGIN SELECT RAISE(ABORT, 'wallets are never deleted'); END`, `
			CREATE TRIGGER wallets_keep_owner BEFORE UPDATE OF id, subject_type, subject_id ON wallets
			BEGIN SELECT RAISE(ABORT, 'a wallet never changes its owner'); END`)
	}, nil)
}

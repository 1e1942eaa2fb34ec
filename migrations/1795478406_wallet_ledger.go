package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// The append-only ledger. (subject_id, seq) finds a wallet's entries, because a
// subject id names one wallet.
func init() {
	m.Register(func(app core.App) error {
		collection := newCollection("wallet_ledger", append(subject(),
			integer("seq"),
			integer("amount_tokens"),
			integer("balance_after"),
			requiredText("event_type"),
			text("reference_type"),
			text("reference_id"),
			text("plan_id"),
			text("external_event_id"),
			text("idempotency_key"),
			text("request_hash"),
			text("description"),
			object("metadata"),
			date("created_at"),
			text("prev_hash"),
			requiredText("hash"),
		)...)
		collection.AddIndex("idx_wallet_ledger_subject_seq", true, "subject_id, seq", "")
		collection.AddIndex("idx_wallet_ledger_external_event", true, "external_event_id", "external_event_id != ''")
		collection.AddIndex("idx_wallet_ledger_refunds", false, "reference_id", "event_type = 'refund'")
		visible(collection, ownedRule)
		if err := app.Save(collection); err != nil {
			return err
		}
		return appendOnly(app, "wallet_ledger")
	}, nil)
}

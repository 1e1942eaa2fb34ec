package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Finished requests by idempotency key, kept for ever. Not a collection: it is
// the ledger's memory, of no use to anybody else.
func init() {
	m.Register(func(app core.App) error {
		err := execute(app, `
			CREATE TABLE wallet_requests (
				subject_id      TEXT NOT NULL,
				kind            TEXT NOT NULL,
				idempotency_key TEXT NOT NULL,
				subject_type    TEXT NOT NULL,
				fingerprint     TEXT NOT NULL,
				entry_id        TEXT NOT NULL,
				balance         INTEGER NOT NULL,
				held            INTEGER NOT NULL,
				frozen          INTEGER NOT NULL,
				refundable      INTEGER NOT NULL,
				created_at      TEXT NOT NULL,
				PRIMARY KEY (subject_id, kind, idempotency_key)
			) WITHOUT ROWID`)
		if err != nil {
			return err
		}
		return appendOnly(app, "wallet_requests")
	}, nil)
}

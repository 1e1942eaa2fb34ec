package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Mints, refunds and adjustments are few among the uses. The index finds them
// without reading those, and a use has no row in it.
func init() {
	m.Register(func(app core.App) error {
		entries, err := app.FindCollectionByNameOrId("wallet_ledger")
		if err != nil {
			return err
		}
		entries.AddIndex("idx_wallet_ledger_others", false, "subject_id, event_type, seq", "event_type != 'use'")
		return app.Save(entries)
	}, nil)
}

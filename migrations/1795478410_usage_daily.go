package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// The roll-up of uses by wallet and UTC day, written together with each use, so
// that summaries never scan the ledger.
func init() {
	m.Register(func(app core.App) error {
		collection := newCollection("usage_daily", append(subject(),
			requiredText("day"),
			integer("uses"),
			integer("tokens"),
			integer("input_tokens"),
			integer("output_tokens"),
		)...)
		collection.AddIndex("idx_usage_daily_subject_day", true, "subject_id, day", "")
		visible(collection, ownedRule)
		return app.Save(collection)
	}, nil)
}

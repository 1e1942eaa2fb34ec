package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// One row for every use. A row written here has the id of the entry that paid
// for it.
func init() {
	m.Register(func(app core.App) error {
		collection := newCollection("usage_logs", append(subject(),
			text("provider"),
			text("model"),
			text("modality"),
			text("endpoint"),
			text("method"),
			text("session_id"),
			text("request_id"),
			text("response_id"),
			text("event_type"),
			integer("input_tokens"),
			integer("output_tokens"),
			integer("total_tokens"),
			integer("duration_ms"),
			integer("adjusted_input_tokens"),
			integer("adjusted_output_tokens"),
			integer("adjusted_total_tokens"),
			&core.NumberField{Name: "input_ratio"},
			&core.NumberField{Name: "output_ratio"},
			integer("charged_tokens"),
			text("price_id"),
			object("rates"),
			text("ledger_id"),
			object("metadata"),
			date("created_at"),
		)...)
		collection.AddIndex("idx_usage_logs_subject", false, "subject_id, created_at", "")
		visible(collection, ownedRule)
		if err := app.Save(collection); err != nil {
			return err
		}
		return execute(app, `
			CREATE TRIGGER usage_logs_no_update BEFORE UPDATE ON usage_logs
			BEGIN SELECT RAISE(ABORT, 'usage_logs rows never change'); END`)
	}, nil)
}

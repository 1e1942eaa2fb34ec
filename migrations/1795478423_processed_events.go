package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Payment events that another backend has paid out, so that a late delivery of one
// is not paid out again here. Not a collection: nobody reads or edits it by hand.
func init() {
	m.Register(func(app core.App) error {
		return execute(app, `
			CREATE TABLE processed_events (
				event_id   TEXT PRIMARY KEY NOT NULL,
				created_at TEXT NOT NULL
			) WITHOUT ROWID`)
	}, nil)
}

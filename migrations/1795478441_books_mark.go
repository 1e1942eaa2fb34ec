package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// How far the running check has come in the ledger: one row, so that a server that
// starts again leaves nothing out. Not a collection: only the check writes it.
func init() {
	m.Register(func(app core.App) error {
		return execute(app, `
			CREATE TABLE books_mark (
				only       INTEGER PRIMARY KEY CHECK (only = 1),
				entry_id   TEXT NOT NULL,
				entry_hash TEXT NOT NULL,
				created_at TEXT NOT NULL
			)`)
	}, nil)
}

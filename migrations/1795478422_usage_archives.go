package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// What became of old usage rows: one row for each archive file. Its usage rows
// leave the database only after this row is committed, so it never changes, but
// for the note that they are gone. Not a collection: only the job writes it.
func init() {
	m.Register(func(app core.App) error {
		return execute(app, `
			CREATE TABLE usage_archives (
				id         INTEGER PRIMARY KEY,
				file       TEXT NOT NULL UNIQUE COLLATE NOCASE,
				first_id   TEXT NOT NULL,
				last_id    TEXT NOT NULL,
				rows       INTEGER NOT NULL,
				tokens     INTEGER NOT NULL,
				cutoff     TEXT NOT NULL,
				sha256     TEXT NOT NULL,
				created_at TEXT NOT NULL,
				removed    INTEGER NOT NULL DEFAULT 0
			)`, `
			CREATE TRIGGER usage_archives_no_delete BEFORE DELETE ON usage_archives
			BEGIN SELECT RAISE(ABORT, 'usage_archives rows are never deleted'); END`, `
			CREATE TRIGGER usage_archives_keep_terms
			BEFORE UPDATE OF id, file, first_id, last_id, rows, tokens, cutoff, sha256, created_at ON usage_archives
			BEGIN SELECT RAISE(ABORT, 'usage_archives rows never change'); END`, `
			CREATE TRIGGER usage_archives_removed_once BEFORE UPDATE OF removed ON usage_archives
			WHEN OLD.removed != 0 OR NEW.removed != 1
			BEGIN SELECT RAISE(ABORT, 'usage rows are removed once'); END`)
	}, nil)
}

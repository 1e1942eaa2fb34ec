package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Codes that were mailed and one-time tokens, until they are used or over. Not a
// collection, so that no API and no dashboard page can ever show one, and gone
// with their user.
func init() {
	m.Register(func(app core.App) error {
		return execute(app, `
			CREATE TABLE verifications (
				purpose        TEXT NOT NULL,
				subject        TEXT NOT NULL,
				hash           TEXT NOT NULL,
				sealed         TEXT NOT NULL DEFAULT '',
				user_id        TEXT REFERENCES users (id) ON DELETE CASCADE,
				token_key_hash TEXT NOT NULL DEFAULT '',
				session_id     TEXT NOT NULL DEFAULT '',
				attempts       INTEGER NOT NULL DEFAULT 0,
				created_at     TEXT NOT NULL,
				expires_at     TEXT NOT NULL,
				PRIMARY KEY (purpose, subject)
			) WITHOUT ROWID`,
			`CREATE INDEX idx_verifications_user ON verifications (user_id)`,
			`CREATE INDEX idx_verifications_session ON verifications (session_id) WHERE session_id != ''`,
			`CREATE INDEX idx_verifications_expires ON verifications (expires_at)`)
	}, nil)
}

package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// The roll-up of uses by quarter of an hour, which every time zone's hours and
// days are made of. The slot (Unix seconds / 900) leads the key, so that writes
// land side by side however many wallets there are.
func init() {
	m.Register(func(app core.App) error {
		return execute(app, `
			CREATE TABLE usage_quarters (
				slot          INTEGER NOT NULL,
				subject_id    TEXT NOT NULL,
				subject_type  TEXT NOT NULL,
				uses          INTEGER NOT NULL,
				tokens        INTEGER NOT NULL,
				input_tokens  INTEGER NOT NULL,
				output_tokens INTEGER NOT NULL,
				PRIMARY KEY (slot, subject_id)
			) WITHOUT ROWID`, `
			INSERT INTO usage_quarters
			SELECT unixepoch(created_at) / 900, subject_id, subject_type, COUNT(*), SUM(charged_tokens), SUM(input_tokens), SUM(output_tokens)
			FROM usage_logs GROUP BY 1, 2`)
	}, nil)
}

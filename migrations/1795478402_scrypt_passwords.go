package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Passwords that PocketBase's bcrypt field cannot hold: those over its 71 bytes,
// and those of imported users until they sign in. Not a collection, so that no
// API and no dashboard page can ever show a hash.
func init() {
	m.Register(func(app core.App) error {
		return execute(app, `
			CREATE TABLE scrypt_passwords (
				user_id TEXT PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
				hash    TEXT NOT NULL
			) WITHOUT ROWID`)
	}, nil)
}

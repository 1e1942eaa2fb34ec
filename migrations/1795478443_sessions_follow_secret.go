package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// A new secret of the users' tokens, by the dashboard's "Invalidate all previously
// issued tokens" or another sign-in rule, ends every session and every mailed code:
// those of the Better Auth road are not signed with it. In the database, so that it
// happens with the change or not at all, whoever makes it.
func init() {
	m.Register(func(app core.App) error {
		return execute(app, `
			CREATE TRIGGER users_secret_ends_sessions AFTER UPDATE OF options ON _collections
			WHEN NEW.name = 'users' AND json_extract(OLD.options, '$.authToken.secret') IS NOT json_extract(NEW.options, '$.authToken.secret')
			BEGIN
				DELETE FROM sessions;
				DELETE FROM verifications;
			END`)
	}, nil)
}

package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Signing in by a mailed code is on, as it was in the original, and an admin turns
// it off where PocketBase has the switch: it holds on both roads.
func init() {
	m.Register(func(app core.App) error {
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return err
		}
		users.OTP.Enabled = true
		return app.Save(users)
	}, nil)
}

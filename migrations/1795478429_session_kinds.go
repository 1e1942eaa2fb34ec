package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Sessions of every road: what kind a session is, and when it was last used. An
// owner may end their own by deleting it, as revoke-session does.
func init() {
	m.Register(func(app core.App) error {
		collection, err := app.FindCollectionByNameOrId("sessions")
		if err != nil {
			return err
		}
		collection.Fields.Add(
			&core.SelectField{Name: "kind", Values: []string{"better_auth", "pocketbase", "impersonation"}, MaxSelect: 1},
			date("last_used_at"),
		)
		collection.DeleteRule = types.Pointer(signedInRule + ` && user = @request.auth.id`)
		if err := app.Save(collection); err != nil {
			return err
		}
		// Rows from before, and those that an import writes without the new columns,
		// are sessions of the Better Auth road.
		const fill = `UPDATE sessions SET
			kind = CASE kind WHEN '' THEN 'better_auth' ELSE kind END,
			last_used_at = CASE last_used_at WHEN '' THEN updated_at ELSE last_used_at END`
		return execute(app, fill, `
			CREATE TRIGGER sessions_fill_columns AFTER INSERT ON sessions
			WHEN NEW.kind = '' OR NEW.last_used_at = ''
			BEGIN `+fill+` WHERE id = NEW.id; END`)
	}, nil)
}

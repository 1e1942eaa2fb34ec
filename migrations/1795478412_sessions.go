package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Sessions of the Better Auth road. Only the hash of a token is stored. An owner
// sees their own; an admin may delete one, which ends it.
func init() {
	m.Register(func(app core.App) error {
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return err
		}
		collection := newCollection("sessions",
			&core.RelationField{Name: "user", CollectionId: users.Id, MaxSelect: 1, Required: true, CascadeDelete: true},
			&core.TextField{Name: "token_hash", Max: textLengthMax, Required: true, Hidden: true},
			&core.TextField{Name: "token_key_hash", Max: textLengthMax, Required: true, Hidden: true},
			date("expires_at"),
			flag("remember"),
			text("ip_address"),
			text("user_agent"),
			date("created_at"),
			date("updated_at"),
		)
		collection.AddIndex("idx_sessions_token_hash", true, "token_hash", "")
		collection.AddIndex("idx_sessions_user", false, "user", "")
		collection.AddIndex("idx_sessions_expires", false, "expires_at", "")
		visible(collection, `@request.auth.id != "" && user = @request.auth.id`)
		return app.Save(collection)
	}, nil)
}

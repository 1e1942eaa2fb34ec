package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// What the product knows about a user beside the account itself.
func init() {
	m.Register(func(app core.App) error {
		collection := newCollection("app_user",
			requiredText("better_auth_user_id"),
			text("first_name"),
			text("last_name"),
			createdAt(),
			updatedAt(),
		)
		collection.AddIndex("idx_app_user_better_auth_user_id", true, "better_auth_user_id", "")
		visible(collection, `@request.auth.id != "" && better_auth_user_id = @request.auth.id`)
		return app.Save(collection)
	}, nil)
}

package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// API keys. Only the hash of a key is stored; the default key of a user can be
// shown again because it is derived from the secret, the user and its version.
func init() {
	m.Register(func(app core.App) error {
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return err
		}
		collection := newCollection("api_keys",
			&core.RelationField{Name: "user", CollectionId: users.Id, MaxSelect: 1, Required: true, CascadeDelete: true},
			requiredText("name"),
			requiredText("prefix"),
			&core.TextField{Name: "key_hash", Max: textLengthMax, Required: true, Hidden: true},
			object("scopes"),
			flag("is_default"),
			integer("version"),
			date("expires_at"),
			flag("disabled"),
			date("last_used_at"),
			createdAt(),
			updatedAt(),
		)
		collection.AddIndex("idx_api_keys_hash", true, "key_hash", "")
		collection.AddIndex("idx_api_keys_user", false, "user", "")
		collection.AddIndex("idx_api_keys_default", true, "user, version", "is_default = TRUE")
		visible(collection, `@request.auth.id != "" && user = @request.auth.id`)
		return app.Save(collection)
	}, nil)
}

package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Organisations share a wallet. Their rules need memberships and come with them.
func init() {
	m.Register(func(app core.App) error {
		name := requiredText("name")
		name.Max = 200
		collection := newCollection("organizations", name, createdAt(), updatedAt())
		collection.AddIndex("idx_organizations_id_nocase", false, "id COLLATE NOCASE", "")
		collection.CreateRule = types.Pointer(signedInRule)
		return app.Save(collection)
	}, nil)
}

// signedInRule admits users of ours, and no accounts of other collections.
const signedInRule = `@request.auth.id != "" && @request.auth.collectionName = "users"`

package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Tokens per minute of a plan, and of a subject. 0 leaves it to the requests per
// minute: see hooks/gateway_limits.go.
func init() {
	m.Register(func(app core.App) error {
		for _, name := range []string{"plans", "entitlements"} {
			collection, err := app.FindCollectionByNameOrId(name)
			if err != nil {
				return err
			}
			collection.Fields.Add(limit("rate_limit_tpm"), object("allowed_models"))
			if err := app.Save(collection); err != nil {
				return err
			}
		}
		return nil
	}, nil)
}

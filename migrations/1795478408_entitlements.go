package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// What a subject may do. A superuser moves subjects between plans here.
func init() {
	m.Register(func(app core.App) error {
		plans, err := app.FindCollectionByNameOrId("plans")
		if err != nil {
			return err
		}
		collection := newCollection("entitlements", append(subject(),
			&core.RelationField{Name: "plan_id", CollectionId: plans.Id, MaxSelect: 1, Required: true},
			integer("max_concurrent_sessions"),
			integer("rate_limit_rpm"),
			object("features"),
			updatedAt(),
		)...)
		collection.AddIndex("idx_entitlements_subject", true, "subject_id, subject_type", "")
		collection.AddIndex("idx_entitlements_plan", false, "plan_id", "")
		visible(collection, ownedRule)
		return app.Save(collection)
	}, nil)
}

package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// What a metered call leaves beside its counts: the key that spent, the counts by
// class, how long it took and where the counts come from.
func init() {
	m.Register(func(app core.App) error {
		usage, err := app.FindCollectionByNameOrId("usage_logs")
		if err != nil {
			return err
		}
		usage.Fields.Add(
			text("api_key"),
			object("counts"),
			integer("first_byte_ms"),
			integer("duration_call_ms"),
			integer("status"),
			text("settled_by"),
		)
		return app.Save(usage)
	}, nil)
}

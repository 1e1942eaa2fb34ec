package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Whose answer a call goes on from is looked up by the answer's id. Uses of other
// routes pay nothing for it.
func init() {
	m.Register(func(app core.App) error {
		usage, err := app.FindCollectionByNameOrId("usage_logs")
		if err != nil {
			return err
		}
		usage.AddIndex("idx_usage_logs_responses", false, "response_id", "endpoint = '/v1/responses' AND response_id != ''")
		return app.Save(usage)
	}, nil)
}

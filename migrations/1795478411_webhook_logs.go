package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// Webhook deliveries as they came in. Superusers only.
func init() {
	m.Register(func(app core.App) error {
		collection := newCollection("webhook_logs",
			requiredText("event_id"),
			requiredText("event_type"),
			text("user_id"),
			&core.TextField{Name: "raw_payload", Max: rawPayloadBytesMax},
			object("headers"),
			date("processed_at"),
			text("processing_status"),
			text("error_message"),
			integer("retry_count"),
			text("webhook_signature"),
			text("ip_address"),
			createdAt(),
			updatedAt(),
		)
		collection.AddIndex("idx_webhook_logs_event", false, "event_id", "")
		collection.AddIndex("idx_webhook_logs_created", false, "created_at", "")
		return app.Save(collection)
	}, nil)
}

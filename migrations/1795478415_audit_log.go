package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// What admins did to wallets by hand. Append-only, superusers only.
func init() {
	m.Register(func(app core.App) error {
		collection := newCollection("audit_log", append([]core.Field{
			requiredText("actor"),
			requiredText("action"),
		}, append(subject(),
			text("reason"),
			object("details"),
			date("created_at"),
		)...)...)
		collection.AddIndex("idx_audit_log_subject", false, "subject_id, created_at", "")
		if err := app.Save(collection); err != nil {
			return err
		}
		return appendOnly(app, "audit_log")
	}, nil)
}

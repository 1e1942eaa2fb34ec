package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// What a repeated hold or batch answers: the hold as it was, and the result of
// each item.
func init() {
	m.Register(func(app core.App) error {
		return execute(app,
			`ALTER TABLE wallet_requests ADD COLUMN hold TEXT`,
			`ALTER TABLE wallet_requests ADD COLUMN items TEXT`)
	}, nil)
}

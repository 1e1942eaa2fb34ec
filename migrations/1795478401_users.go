package migrations

import (
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// authTokenSeconds is how long a PocketBase token of a user lives: as long as a
// session of the other road, 7 days.
const authTokenSeconds = 7 * 24 * 60 * 60

// The users collection is PocketBase's own; this makes it hold the original
// backend's users too: their 32-character ids and their image address.
func init() {
	m.Register(func(app core.App) error {
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return err
		}
		id, _ := users.Fields.GetByName("id").(*core.TextField)
		id.Pattern, id.Min, id.Max = `^[a-zA-Z0-9]+$`, 15, 32
		users.Fields.Add(&core.TextField{Name: "image", Max: 2048})
		users.AuthToken.Duration = authTokenSeconds
		// One address is one account, whatever its letters' case.
		users.Indexes = append(withoutIndexOn(users.Indexes, "`email`"),
			"CREATE UNIQUE INDEX `idx_users_email_nocase` ON `users` (`email` COLLATE NOCASE) WHERE `email` != ''")
		// PocketBase looks for a taken id without regard to case at every create.
		users.Indexes = append(users.Indexes,
			"CREATE INDEX `idx_users_id_nocase` ON `users` (`id` COLLATE NOCASE)")
		return app.Save(users)
	}, nil)
}

func withoutIndexOn(indexes []string, column string) []string {
	return slices.DeleteFunc(indexes, func(index string) bool { return strings.Contains(index, "("+column) })
}

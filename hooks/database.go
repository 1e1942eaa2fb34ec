package hooks

import (
	"log/slog"
	"path/filepath"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// moneyDatabase is the file that holds the books.
const moneyDatabase = "data.db"

// ConnectDatabase opens PocketBase's files with its own pragmas, but data.db so
// that a commit is on disk when it returns: PocketBase's default may lose the
// last commits when the power fails. Recursive triggers make REPLACE, which
// deletes in silence, fire the triggers that keep the books append-only.
// busy_timeout must come first.
func ConnectDatabase(path string) (*dbx.DB, error) {
	const pragmas = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(200000000)" +
		"&_pragma=foreign_keys(ON)&_pragma=recursive_triggers(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)"
	durability := "&_pragma=synchronous(NORMAL)"
	if filepath.Base(path) == moneyDatabase {
		durability = "&_pragma=synchronous(FULL)&_txlock=immediate"
	}
	return dbx.Open("sqlite", path+pragmas+durability)
}

// bindDatabaseUpkeep replaces PocketBase's nightly job, whose TRUNCATE checkpoint
// stops every write for ten seconds while any long reader, such as Litestream, is
// there. PASSIVE waits for nobody.
func bindDatabaseUpkeep(app core.App) {
	app.Cron().Remove("__pbDBOptimize__")
	app.Cron().MustAdd("sokujiDatabaseUpkeep", "0 0 * * *", func() {
		for _, database := range []dbx.Builder{app.NonconcurrentDB(), app.AuxNonconcurrentDB()} {
			for _, statement := range []string{"PRAGMA wal_checkpoint(PASSIVE)", "PRAGMA optimize"} {
				if _, err := database.NewQuery(statement).Execute(); err != nil {
					app.Logger().Warn("Database upkeep failed", slog.String("statement", statement), slog.Any("error", err))
				}
			}
		}
	})
}

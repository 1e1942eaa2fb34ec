package hooks

import (
	"database/sql"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger/sqlitestore"
)

// moneyDatabase is the file that holds the books.
const moneyDatabase = "data.db"

const (
	// readerCacheKiB is what each reading connection keeps of a file in its own
	// memory. The operating system keeps the file for all of them, so a miss costs a
	// copy; with a cache for each of a dozen connections memory goes by itself.
	readerCacheKiB = 1000
	// writerCacheKiB is what the one writing connection keeps, more than a full
	// batch changes: pages that do not fit would be written twice.
	writerCacheKiB = 4000
	// checkpointPages is how long the log of data.db grows, in pages of 4 KiB, until
	// its pages go to the file: each goes once, however many charges changed it. A
	// start after a crash reads that much again.
	checkpointPages = 16_000
	// logLimitBytes is what is left of a log that a long reader made grow.
	logLimitBytes = 200_000_000
)

// ConnectDatabase opens PocketBase's files with its own pragmas, but data.db so
// that a commit is on disk when it returns: PocketBase's default may lose the
// last commits when the power fails. Recursive triggers make REPLACE, which
// deletes in silence, fire the triggers that keep the books append-only.
// busy_timeout must come first.
func ConnectDatabase(path string) (*dbx.DB, error) {
	sqlitestore.SmallJournals()
	pragmas := fmt.Sprintf("?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(%d)"+
		"&_pragma=foreign_keys(ON)&_pragma=recursive_triggers(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-%d)",
		logLimitBytes, readerCacheKiB)
	durability := "&_pragma=synchronous(NORMAL)"
	if filepath.Base(path) == moneyDatabase {
		durability = fmt.Sprintf("&_pragma=synchronous(FULL)&_txlock=immediate&_pragma=wal_autocheckpoint(%d)", checkpointPages)
	}
	return dbx.Open("sqlite", path+pragmas+durability)
}

// warmWriter gives the writing connection its cache, and keeps the connection: a
// new one would begin with a reader's.
func warmWriter(writer *sql.DB) error {
	writer.SetConnMaxIdleTime(0)
	_, err := writer.Exec(fmt.Sprintf("PRAGMA cache_size = -%d", writerCacheKiB))
	return err
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

package hooks

import (
	"path/filepath"
	"testing"

	"sokuji/internal/ledger/sqlitestore"
)

// The configuration comes before the first database of the process, or it is lost.
func TestTheFirstDatabaseHasSmallJournals(t *testing.T) {
	database, err := ConnectDatabase(filepath.Join(t.TempDir(), moneyDatabase))
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	if !sqlitestore.SmallJournals() {
		t.Error("a database was open before ConnectDatabase")
	}
}

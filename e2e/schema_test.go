package e2e

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sokuji/e2e/testserver"
)

// migrationsFolder is where the sources of the schema are, seen from this package.
const migrationsFolder = "../migrations"

func TestTheSchemaGuardsTheBooks(t *testing.T) {
	server := testserver.Start(t, testserver.Options{})
	user := newUser(t, server)
	mint(t, server, user.ID, 10)
	if _, err := server.Use(bounded(t), testserver.Op{UserID: user.ID, Amount: 3, IdempotencyKey: "one"}); err != nil {
		t.Fatal(err)
	}
	if err := useByKey(t, server, newKey(t, server, user, 5), 2); err != nil {
		t.Fatal(err)
	}

	t.Run("every trigger of the migrations is in the database", func(t *testing.T) {
		checkTriggers(t, triggersOf(t, openDatabase(t, server.Dir)))
	})
	t.Run("data.db is in WAL mode", func(t *testing.T) {
		var mode string
		err := openDatabase(t, server.Dir).QueryRowContext(bounded(t), `PRAGMA journal_mode`).Scan(&mode)
		if err != nil || mode != "wal" {
			t.Errorf("journal_mode is %q, %v; want wal", mode, err)
		}
	})
	if _, err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	t.Run("raw SQL cannot change what is written", func(t *testing.T) { checkRawWrites(t, server.Dir) })
	auditBooks(t, server.Dir)
}

func triggersOf(t *testing.T, db *sql.DB) []string {
	t.Helper()
	var names sql.NullString
	err := db.QueryRowContext(bounded(t), `SELECT GROUP_CONCAT(name, ' ') FROM sqlite_master WHERE type = 'trigger'`).Scan(&names)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(names.String)
}

func checkTriggers(t *testing.T, found []string) {
	t.Helper()
	want := []string{"wallets_no_delete", "wallets_keep_owner", "usage_logs_no_update"}
	for _, table := range []string{"wallet_ledger", "wallet_requests", "prices", "audit_log"} {
		want = append(want, table+"_no_update", table+"_no_delete")
	}
	want = append(want, triggersInSources(t)...)
	for _, name := range want {
		if !slices.Contains(found, name) {
			t.Errorf("the trigger %s is missing; there are %v", name, found)
		}
	}
}

// triggersInSources finds the triggers that migrations name, those to come too.
func triggersInSources(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(migrationsFolder, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no migrations in %s: %v", migrationsFolder, err)
	}
	named := regexp.MustCompile(`CREATE TRIGGER (\w+)`)
	appendOnly := regexp.MustCompile(`appendOnly\(app, "(\w+)"\)`)
	var names []string
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range named.FindAllSubmatch(source, -1) {
			names = append(names, string(match[1]))
		}
		for _, match := range appendOnly.FindAllSubmatch(source, -1) {
			table := string(match[1])
			names = append(names, table+"_no_update", table+"_no_delete")
		}
	}
	return names
}

// checkRawWrites tries what somebody with the file in hand could do by mistake.
// The server must have ended.
func checkRawWrites(t *testing.T, dir string) {
	db, err := sql.Open("sqlite", databaseAddress(dir)+"?mode=rw")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range []string{
		`UPDATE wallet_ledger SET amount_tokens = amount_tokens + 1`,
		`DELETE FROM wallet_ledger`,
		`UPDATE wallet_requests SET balance = 0`,
		`DELETE FROM wallet_requests`,
		`UPDATE audit_log SET reason = 'none'`,
		`DELETE FROM audit_log`,
		`UPDATE prices SET margin_ppm = 1`,
		`DELETE FROM prices`,
		`UPDATE usage_logs SET charged_tokens = 0`,
		`UPDATE api_key_spending SET tokens = 0`,
		`DELETE FROM api_key_spending`,
		`UPDATE wallets SET subject_id = 'thief'`,
		`UPDATE wallets SET id = 'thief'`,
		`DELETE FROM wallets`,
		`WITH all_rows AS (SELECT id FROM wallet_ledger) DELETE FROM wallet_ledger WHERE id IN all_rows`,
	} {
		t.Run(statement, func(t *testing.T) {
			result, err := db.ExecContext(bounded(t), statement)
			if err == nil {
				changed, _ := result.RowsAffected()
				t.Errorf("it was done, to %d rows; want a refusal by trigger", changed)
			}
		})
	}
}

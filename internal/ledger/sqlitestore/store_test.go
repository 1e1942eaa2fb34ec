package sqlitestore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"sokuji/hooks"
	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
	"sokuji/internal/ledger/sqlitestore"
	_ "sokuji/migrations"
)

// template is a data folder with the schema, copied for each test.
var template string

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	app, err := newApp("")
	if err != nil {
		return 1, err
	}
	defer app.Cleanup()
	template = app.DataDir()
	_, err = app.NonconcurrentDB().NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute()
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func newApp(dir string) (*tests.TestApp, error) {
	return tests.NewTestAppWithConfig(core.BaseAppConfig{DataDir: dir, DBConnect: hooks.ConnectDatabase})
}

type fixture struct {
	app    *tests.TestApp
	store  *sqlitestore.Store
	writer *sql.DB
}

func open(t *testing.T) fixture {
	t.Helper()
	app, err := newApp(template)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	writer := app.NonconcurrentDB().(*dbx.DB).DB()
	store, err := sqlitestore.Open(writer, app.ConcurrentDB().(*dbx.DB).DB())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return fixture{app, store, writer}
}

func (f fixture) createWallet(t *testing.T, subject ledger.Subject) {
	t.Helper()
	err := f.app.RunInTransaction(func(tx core.App) error {
		return sqlitestore.CreateWallet(tx.DB(), subject, time.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSQLitePassesTheSuite(t *testing.T) {
	ledgertest.Suite(t, func(t *testing.T) ledgertest.Fixture {
		f := open(t)
		return ledgertest.Fixture{
			Store: f.store, CreateWallet: f.createWallet,
			Day: func(t *testing.T, subject ledger.Subject, day string) ledger.UsageTotals {
				return f.totals(t, "usage_daily WHERE subject_id = ? AND subject_type = ? AND day = ?", subject.ID, string(subject.Type), day)
			},
			Quarter: func(t *testing.T, subject ledger.Subject, slot int64) ledger.UsageTotals {
				return f.totals(t, "usage_quarters WHERE subject_id = ? AND subject_type = ? AND slot = ?", subject.ID, string(subject.Type), slot)
			},
		}
	})
}

// totals reads one roll-up row.
func (f fixture) totals(t *testing.T, where string, arguments ...any) (totals ledger.UsageTotals) {
	t.Helper()
	err := f.writer.QueryRow("SELECT uses, tokens, input_tokens, output_tokens FROM "+where, arguments...).
		Scan(&totals.Uses, &totals.Tokens, &totals.InputTokens, &totals.OutputTokens)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.Fatal(err)
	}
	return totals
}

func TestCommitsAreDurable(t *testing.T) {
	f := open(t)
	var synchronous int
	if err := f.writer.QueryRow("PRAGMA synchronous").Scan(&synchronous); err != nil || synchronous != 2 {
		t.Fatalf("synchronous is %d (%v), want 2, FULL", synchronous, err)
	}
	// An immediate transaction keeps every other writer out from its beginning.
	tx, err := f.store.Begin(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.app.ConcurrentDB().NewQuery("PRAGMA busy_timeout = 1").Execute(); err != nil {
		t.Fatal(err)
	}
	other, err := sql.Open("sqlite", f.app.DataDir()+"/data.db?_pragma=busy_timeout(1)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Exec("UPDATE wallets SET balance_tokens = 1"); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Errorf("another writer got %v", err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
}

// A wallet that moved on disk without the writer is never overwritten.
func TestTheWriterNoticesAnotherWriter(t *testing.T) {
	f := open(t)
	alice := ledger.UserSubject("alice0000000001")
	f.createWallet(t, alice)
	l := ledger.Open(f.store, ledger.Options{Now: time.Now, Random: rand.NewChaCha8([32]byte{})})
	defer l.Close()
	mint := ledger.Mint{Request: ledger.Request{Subject: alice}, Amount: 5}
	if _, err := l.Do(context.Background(), mint); err != nil {
		t.Fatal(err)
	}
	if _, err := f.writer.Exec("UPDATE wallets SET seq = 7, balance_tokens = 1000"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Do(context.Background(), mint); ledger.CodeOf(err) != ledger.CodeOverloaded {
		t.Fatalf("got %v", err)
	}
	var balance int64
	if err := f.writer.QueryRow("SELECT balance_tokens FROM wallets").Scan(&balance); err != nil || balance != 1000 {
		t.Fatalf("the wallet on disk was overwritten: %d (%v)", balance, err)
	}
}

// The queries of the hot path and of the lists must find their rows by index,
// however large the tables are.
func TestQueriesUseTheirIndexes(t *testing.T) {
	f := open(t)
	for name, test := range map[string]struct{ query, index string }{
		"wallet by subject":   {"SELECT * FROM wallets WHERE id = 'a' AND subject_type = 'user'", "sqlite_autoindex_wallets_1"},
		"entry by event":      {"SELECT * FROM wallet_ledger WHERE external_event_id = 'a' AND external_event_id != ''", "idx_wallet_ledger_external_event"},
		"refunds of an entry": {"SELECT SUM(amount_tokens) FROM wallet_ledger WHERE reference_id = 'a' AND event_type = 'refund' AND reference_type = 'ledger'", "idx_wallet_ledger_refunds"},
		"a page of entries":   {"SELECT * FROM wallet_ledger WHERE subject_id = 'a' AND subject_type = 'user' AND seq < 9 ORDER BY seq DESC LIMIT 51", "idx_wallet_ledger_subject_seq"},
		"a page of uses":      {"SELECT * FROM usage_logs WHERE subject_id = 'a' AND subject_type = 'user' AND (created_at, id) < ('b', 'c') ORDER BY created_at DESC, id DESC LIMIT 51", "idx_usage_logs_subject"},
		"a hold":              {"SELECT * FROM wallet_holds WHERE id = 'a'", "sqlite_autoindex_wallet_holds_1"},
		"a wallet's holds":    {"SELECT * FROM wallet_holds WHERE subject_id = 'a' AND subject_type = 'user' AND id < 'b' ORDER BY id DESC LIMIT 51", "idx_wallet_holds_subject"},
		"due holds":           {"SELECT * FROM wallet_holds WHERE state = 'open' AND expires_at <= 'a' AND (expires_at, id) > ('b', 'c') ORDER BY expires_at, id LIMIT 9", "idx_wallet_holds_due"},
		"a wallet's grants":   {"SELECT * FROM wallet_grants WHERE subject_id = 'a' AND subject_type = 'user' AND state = 'live' AND remaining_tokens > 0 ORDER BY expires_at, id", "idx_wallet_grants_subject"},
		"due grants":          {"SELECT * FROM wallet_grants WHERE state = 'live' AND expires_at <= 'a' AND (expires_at, id) > ('b', 'c') ORDER BY expires_at, id LIMIT 9", "idx_wallet_grants_due"},
		"the moves of a use":  {"SELECT grant_id, SUM(tokens) FROM wallet_grant_moves WHERE ledger_id IN (SELECT 'a' UNION ALL SELECT id FROM wallet_ledger WHERE reference_id = 'a' AND event_type = 'refund' AND reference_type = 'ledger') GROUP BY grant_id", "idx_wallet_ledger_refunds"},
		"a finished request":  {"SELECT * FROM wallet_requests WHERE subject_id = 'a' AND kind = 'use' AND idempotency_key = 'k'", "PRIMARY KEY"},
		"thirty days":         {"SELECT SUM(tokens) FROM usage_daily WHERE subject_id = 'a' AND subject_type = 'user' AND day >= '2026'", "idx_usage_daily_subject_day"},
	} {
		rows, err := f.writer.Query("EXPLAIN QUERY PLAN " + test.query)
		if err != nil {
			t.Fatal(err)
		}
		var plan strings.Builder
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan.WriteString(detail + "\n")
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
		steps := strings.ReplaceAll(plan.String(), "SCAN CONSTANT ROW", "") // SELECT without a table
		if !strings.Contains(steps, test.index) || strings.Contains(steps, "SCAN ") {
			t.Errorf("%s: %s", name, steps)
		}
	}
}

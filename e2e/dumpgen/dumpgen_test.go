package dumpgen

import (
	"bytes"
	"database/sql"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

func options() Options {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	return Options{Seed: 5, Users: 7, Rows: 400, Now: now, Until: now.Add(time.Hour), WrongBalances: 2}
}

func dump(t *testing.T, o Options) (string, Facts) {
	t.Helper()
	var out bytes.Buffer
	facts, err := Write(&out, o)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), facts
}

func TestTheSameOptionsAreTheSameDump(t *testing.T) {
	first, _ := dump(t, options())
	if second, _ := dump(t, options()); first != second {
		t.Error("two dumps of the same options differ")
	}
	other := options()
	other.Seed++
	if second, _ := dump(t, other); first == second {
		t.Error("the seed changes nothing")
	}
}

// SQLite itself reads a dump, and finds in it what the facts say.
func TestSQLiteReadsADump(t *testing.T) {
	o := options()
	text, facts := dump(t, o)
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
	var sum, stored int64
	for n := range o.Users {
		sum, stored = sum+facts.Sums[n], stored+facts.Balances[n]
	}
	if sum == stored {
		t.Error("no balance is wrong")
	}
	for query, want := range map[string]int64{
		`SELECT COUNT(*) FROM user`: int64(o.Users), `SELECT COUNT(*) FROM wallet_ledger`: int64(o.Rows), `SELECT COUNT(*) FROM usage_logs`: facts.Uses,
		`SELECT COUNT(*) FROM wallet_ledger WHERE event_type = 'mint'`:                                                                facts.Mints,
		`SELECT -SUM(amount_tokens) FROM wallet_ledger WHERE event_type = 'use'`:                                                      facts.UseTokens,
		`SELECT SUM(amount_tokens) FROM wallet_ledger`:                                                                                sum,
		`SELECT SUM(balance_tokens) FROM wallets`:                                                                                     stored,
		`SELECT COUNT(*) FROM usage_logs u JOIN wallet_ledger l ON l.id = u.ledger_id AND l.amount_tokens = -u.adjusted_total_tokens`: facts.Uses,
	} {
		var got int64
		if err := db.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %d, want %d (%v)", query, got, want, err)
		}
	}
}

func TestStrangeRowsAreInTheDump(t *testing.T) {
	o := options()
	plain, _ := dump(t, o)
	o.Extra = Strange(o.Seed)
	strange, _ := dump(t, o)
	for _, lines := range o.Extra {
		for _, line := range lines {
			if !bytes.Contains([]byte(strange), []byte(line+"\n")) || bytes.Contains([]byte(plain), []byte(line)) {
				t.Errorf("not there, or there without being asked for: %s", line)
			}
		}
	}
}

func TestTablesCanBeLeftOut(t *testing.T) {
	o := options()
	o.Without = []string{"usage_logs"}
	if text, _ := dump(t, o); bytes.Contains([]byte(text), []byte(`INSERT INTO "usage_logs"`)) {
		t.Error("a table that was to be left out is there")
	}
}

package d1import_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"sokuji/e2e/dumpgen"
	"sokuji/internal/ledger"
)

// eventRow is a mint of a user, with the event that paid for it.
func eventRow(id, user string, amount int, event string) string {
	return fmt.Sprintf("'%s','user','%s',%d,'mint',NULL,NULL,NULL,'%s',NULL,NULL,'2026-10-01T00:00:00.000Z'", id, user, amount, event)
}

func walletRow(user string, balance int) string {
	return fmt.Sprintf("'user','%s',%d,0,NULL", user, balance)
}

// A dump that stands twice in its file is the dump.
func TestADumpTwiceInItsFile(t *testing.T) {
	options := dumpgen.Options{Seed: 5, Users: 20, Rows: 400, WrongBalances: 4}
	text, facts := generate(t, options)
	h := newHouse(t)
	report := h.importText(text + text)
	if got := report.Table("wallet_ledger"); got.Imported != 400 || got.Skipped != 400 || got.Made != 4 || !names(got, "its id stands in the dump twice", "") {
		t.Errorf("got %+v", got)
	}
	h.checkBalances(options, facts)
	before := h.fingerprint()
	for _, again := range []string{text + text, text} {
		if report := h.importText(again); report.Imported() != 0 || report.Table("wallet_ledger").Made != 0 {
			t.Errorf("a second run: %+v", report.Table("wallet_ledger"))
		}
	}
	if after := h.fingerprint(); after != before {
		t.Errorf("a second run changed data.db:\n%s\n%s", before, after)
	}
	once := newHouse(t)
	once.importText(text)
	for _, table := range []string{"usage_daily", "usage_quarters"} {
		query := `SELECT SUM(uses)||' '||SUM(tokens)||' '||SUM(input_tokens)||' '||SUM(output_tokens) FROM ` + table
		h.want(once.value(query), query)
	}
}

// An entry whose external event is another's brings no money: the balance does.
func TestEventsOfSeveralEntries(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, test := range []struct {
		name    string
		entries []string
		stored  map[string]int // by user
		made    int64
		events  string // how many of the entries kept theirs
	}{
		{"of two wallets", []string{eventRow("e1", ada, 5, "evt"), eventRow("e2", ghost, 5, "evt")}, map[string]int{ada: 5, ghost: 5}, 1, "1"},
		{"of two amounts", []string{eventRow("e1", ada, 5, "evt"), eventRow("e2", ada, 7, "evt")}, map[string]int{ada: 12}, 1, "1"},
		{"of the same amount", []string{eventRow("e1", ada, 5, "evt"), eventRow("e2", ada, 5, "evt")}, map[string]int{ada: 10}, 1, "1"},
		{"counted once", []string{eventRow("e1", ada, 5, "evt"), eventRow("e2", ada, 5, "evt")}, map[string]int{ada: 5}, 0, "1"},
		{"long and alike", []string{eventRow("e1", ada, 5, long+"1"), eventRow("e2", ada, 7, long+"2")}, map[string]int{ada: 12}, 0, "2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var wallets []string
			for user, balance := range test.stored {
				wallets = append(wallets, walletRow(user, balance))
			}
			dump := strangeDump(map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", test.entries...), "wallets": rowsOf("wallets", wallets...)})
			h := newHouse(t)
			for round := range 2 {
				report := h.importText(dump)
				if want := test.made * int64(1-round); report.Table("wallet_ledger").Made != want {
					t.Errorf("round %d: made %d, want %d", round, report.Table("wallet_ledger").Made, want)
				}
				for user, balance := range test.stored {
					h.want(fmt.Sprint(balance), `SELECT balance_tokens FROM wallets WHERE id = ?`, user)
				}
				h.want(test.events, `SELECT COUNT(DISTINCT external_event_id) FROM wallet_ledger WHERE event_type = 'mint'`)
			}
		})
	}
}

// A payment that was posted here, and that the dump has under another id, is in the
// books; but only for one row of the dump.
func TestAPaymentThatBothBackendsHeardOf(t *testing.T) {
	h := newHouse(t)
	h.importText(strangeDump(nil))
	_, err := ledger.Import(context.Background(), h.store, []ledger.ImportedEntry{{
		Subject: ledger.UserSubject(ada), ID: "here", At: now, Amount: 5, EventType: ledger.EventMint, ExternalEventID: "evt",
	}}, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		entries []string
		stored  int
		made    int64
	}{
		{[]string{eventRow("e1", ada, 5, "evt")}, 5, 0},
		{[]string{eventRow("e1", ada, 5, "evt"), eventRow("e2", ada, 5, "evt")}, 10, 1},
	} {
		dump := strangeDump(map[string][]string{
			"wallet_ledger": rowsOf("wallet_ledger", test.entries...), "wallets": rowsOf("wallets", walletRow(ada, test.stored)),
		})
		for round := range 2 {
			if got := h.importText(dump).Table("wallet_ledger"); got.Made != test.made*int64(1-round) || !names(got, "in the books already", "e1") {
				t.Errorf("round %d: got %+v", round, got)
			}
			h.want(fmt.Sprint(test.stored), `SELECT balance_tokens FROM wallets WHERE id = ?`, ada)
		}
	}
}

// A note of an adjustment stands for one that is in the books.
func TestAnAdjustmentIsToldWhenItIsWritten(t *testing.T) {
	long := strings.Repeat("o", 400)
	h := newHouse(t)
	dump := strangeDump(map[string][]string{"wallets": rowsOf("wallets", "'organization','"+long+"',777,0,NULL")})
	report := h.importText(dump)
	if report.Table("wallet_ledger").Made != 1 || !names(report.Table("wallets"), "makes up for the difference", "") {
		t.Errorf("got %+v and %+v", report.Table("wallet_ledger"), report.Table("wallets"))
	}
	h.want("777", `SELECT balance_tokens FROM wallets WHERE id = ?`, long)
	if again := h.importText(dump); again.Table("wallet_ledger").Made != 0 {
		t.Errorf("got %+v", again.Table("wallet_ledger"))
	}
	h.want("777", `SELECT balance_tokens FROM wallets WHERE id = ?`, long)

	refused := newHouse(t)
	if _, err := refused.writer.Exec(`CREATE TRIGGER no_adjust BEFORE INSERT ON wallet_ledger BEGIN SELECT RAISE(ABORT, 'no'); END`); err != nil {
		t.Fatal(err)
	}
	report = refused.importText(strangeDump(map[string][]string{"wallets": rowsOf("wallets", walletRow(ada, 5))}))
	if names(report.Table("wallets"), "makes up", "") || !names(report.Table("wallet_ledger"), "could not be written", ada) {
		t.Errorf("got %+v and %+v", report.Table("wallet_ledger"), report.Table("wallets"))
	}
}

package verify_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
	"sokuji/internal/ledger/verify"
)

// importedBooks are empty books with what another backend would have brought:
// signs, references and usage rows by rules that are not ours.
func importedBooks(t *testing.T) *books {
	t.Helper()
	b := openCopy(t, emptyTemplate)
	writer := &builder{db: b.db, clock: ledgertest.NewClock()}
	if err := writer.open(); err != nil {
		t.Fatal(err)
	}
	writer.wallet(alice)
	writer.wallet(acme)
	at := time.Date(2025, 9, 1, 12, 0, 0, 0, time.UTC)
	row := func(id string) ledger.UsageRow {
		return ledger.UsageRow{ID: id, CreatedAt: at, Usage: ledger.Usage{InputTokens: 7}}
	}
	entry := func(id string, amount int64, event ledger.EventType, reference, of string, usage ...ledger.UsageRow) ledger.ImportedEntry {
		at = at.Add(7 * time.Minute)
		return ledger.ImportedEntry{
			Subject: alice, ID: id, At: at, Amount: amount, EventType: event, ReferenceType: reference, ReferenceID: of,
			Metadata: json.RawMessage(`"no object"`), Usage: usage,
		}
	}
	_, err := ledger.Import(context.Background(), writer.store, []ledger.ImportedEntry{
		entry("mint", 100, ledger.EventMint, "payment", "pay_1"),
		entry("use", -10, ledger.EventUse, "usage", "sess", row("u1")),
		entry("two", -10, ledger.EventUse, "usage", "sess", row("u2"), row("u3")),
		entry("bare", -500, ledger.EventUse, "hold", "no hold of ours"),
		entry("backwards", 5, ledger.EventUse, "", ""),
		entry("taken", -5, ledger.EventMint, "", ""),
		entry("refund", -70, ledger.EventRefund, "payment", "pay_9"),
		entry("own refund", -3, ledger.EventRefund, "ledger", "mint"),
		entry("expired", -2, ledger.EventAdjust, "grant", "no grant of ours"),
		{Subject: acme, ID: "zero", At: at, EventType: ledger.EventMint},
	}, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.ImportUsage(context.Background(), writer.store, []ledger.UsageRow{{ID: "stray", Subject: alice, CreatedAt: at}}); err != nil {
		t.Fatal(err)
	}
	writer.mint(alice, 1_000, "", "", 0) // and life goes on
	writer.use(alice, 5, "key")
	writer.do(ledger.Refund{Request: ledger.Request{Subject: alice}, EntryID: "use", Amount: 4})
	if err := writer.close(); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestImportedBooksAreSound(t *testing.T) {
	report := importedBooks(t).verify(verify.Options{})
	if !report.Sound() || report.Entries != 13 || report.Usage != 5 || report.Wallets != 2 {
		t.Errorf("%+v\n%s", report, show(report))
	}
}

// The mark is part of the chain: it protects nothing that was written here, and
// nobody gets rid of it.
func TestTamperedImportsAreFound(t *testing.T) {
	const own = `(SELECT id FROM wallet_ledger WHERE request_hash != 'imported' AND event_type = 'use')`
	for name, test := range map[string]struct{ change, table, id string }{
		"the mark is taken away":             {`UPDATE wallet_ledger SET request_hash = '' WHERE id = 'use'`, "wallet_ledger", "use"},
		"the mark is given":                  {`UPDATE wallet_ledger SET request_hash = 'imported' WHERE id = ` + own, "wallet_ledger", ""},
		"the amount":                         {`UPDATE wallet_ledger SET amount_tokens = -11 WHERE id = 'use'`, "wallet_ledger", "use"},
		"the time":                           {`UPDATE wallet_ledger SET created_at = '2025-09-01 12:00:00.000Z' WHERE id = 'use'`, "wallet_ledger", "use"},
		"the entry is gone":                  {`DELETE FROM wallet_ledger WHERE id = 'bare'`, "wallet_ledger", "backwards"},
		"usage that names nothing":           {`UPDATE usage_logs SET ledger_id = 'nothing' WHERE id = 'u1'`, "usage_logs", "u1"},
		"usage that names a use of ours":     {`UPDATE usage_logs SET ledger_id = ` + own + ` WHERE id = 'u1'`, "usage_logs", "u1"},
		"usage of another wallet":            {`UPDATE usage_logs SET subject_id = 'acme', subject_type = 'organization' WHERE id = 'u3'`, "usage_logs", "u3"},
		"usage that pretends to be ours":     {`UPDATE usage_logs SET ledger_id = id WHERE id = 'u2'`, "usage_logs", "u2"},
		"usage of ours that names an import": {`UPDATE usage_logs SET ledger_id = 'use' WHERE id = ` + own, "usage_logs", ""},
		"a day":                              {`UPDATE usage_daily SET tokens = tokens + 1 WHERE day = '2025-09-01'`, "usage_daily", "20250901"},
		"a quarter of an hour":               {`DELETE FROM usage_quarters WHERE slot = unixepoch('2025-09-01 12:15:00') / 900`, "usage_quarters", "alice"},
		"the wallet":                         {`UPDATE wallets SET balance_tokens = 0 WHERE id = 'alice0000000001'`, "wallets", "alice"},
	} {
		t.Run(name, func(t *testing.T) {
			b := importedBooks(t)
			b.exec(test.change)
			report := b.verify(verify.Options{})
			if !names(report, test.table, test.id) {
				t.Errorf("not found in\n%s", show(report))
			}
		})
	}
}

// A refund of ours may not go beyond what is left of an imported entry.
func TestRefundsOfImportsAreHeldAgainstThem(t *testing.T) {
	b := importedBooks(t)
	id := b.pick(`SELECT id FROM wallet_ledger WHERE event_type = 'refund' AND request_hash != 'imported'`)
	b.exec(`UPDATE wallet_ledger SET reference_id = 'zero' WHERE id = ?`, id)
	report := b.verify(verify.Options{})
	if !names(report, "wallet_ledger", id) || !strings.Contains(show(report), "refunds no mint or use of its wallet") {
		t.Errorf("not found in\n%s", show(report))
	}
}

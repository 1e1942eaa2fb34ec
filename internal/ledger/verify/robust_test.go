package verify_test

import (
	"context"
	"errors"
	"testing"

	"sokuji/internal/ledger/verify"
)

func TestFindingsAreBounded(t *testing.T) {
	b := open(t)
	b.exec(`DROP INDEX idx_wallet_ledger_subject_seq`)
	b.exec(`INSERT INTO wallet_ledger (id, subject_type, subject_id, hash)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) SELECT 'bad' || i, 'user', 'x', 'y' FROM n`)
	report := b.verify(verify.Options{})
	if len(report.Findings) != verify.MaxFindings || report.More < 1500 {
		t.Fatalf("%d findings and %d more", len(report.Findings), report.More)
	}
}

func TestAnInterruptionEndsIt(t *testing.T) {
	b := open(t)
	b.exec(`INSERT INTO usage_logs (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT 'u' || i FROM n`)
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	database, err := verify.OpenReadOnly(b.path)
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close()
	ctx, cancel := context.WithCancel(context.Background())
	_, err = verify.File(ctx, database.DB, verify.Options{Progress: func(int64, int64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if report, err := verify.File(context.Background(), database.DB, verify.Options{}); err != nil || report.Entries == 0 {
		t.Fatalf("the database is of no use afterwards: %v", err)
	}
}

func TestTheArchivesTableMayBeMissing(t *testing.T) {
	b := open(t)
	b.exec(`DROP TABLE usage_archives`)
	if report := b.verify(verify.Options{}); !report.Sound() {
		t.Fatal(show(report))
	}
}

// Rows that were paid elsewhere, such as imported ones, are none of the ledger's.
func TestUsageWithoutAnEntryIsLeftAlone(t *testing.T) {
	b := open(t)
	b.exec(`INSERT INTO usage_logs (id, subject_type, subject_id, charged_tokens, created_at)
VALUES ('old', 'user', 'alice0000000001', 5, '2025-01-01 00:00:00.000Z')`)
	if report := b.verify(verify.Options{}); !report.Sound() {
		t.Fatal(show(report))
	}
}

// Somebody who can edit the file can make an index that does not show every refund.
func TestAnIndexThatHidesARefundIsNoticed(t *testing.T) {
	b := open(t)
	b.exec(`DROP INDEX idx_wallet_ledger_refunds`)
	b.exec(`CREATE INDEX idx_wallet_ledger_refunds ON wallet_ledger (reference_id) WHERE event_type = 'refund' AND amount_tokens > 0`)
	b.exec(`PRAGMA writable_schema = ON`)
	b.exec(`UPDATE sqlite_schema SET sql = replace(sql, ' AND amount_tokens > 0', '') WHERE name = 'idx_wallet_ledger_refunds'`)
	if report := b.verify(verify.Options{}); !names(report, "wallet_ledger", "idx_wallet_ledger_refunds") {
		t.Fatalf("the hidden refund is not noticed:\n%s", show(report))
	}
}

func TestOtherDatabasesAreRefused(t *testing.T) {
	for _, table := range []string{"wallets", "wallet_ledger", "wallet_grant_moves", "usage_quarters"} {
		b := open(t)
		b.exec(`DROP TABLE ` + table)
		if report, err := b.tryVerify(verify.Options{}); err == nil {
			t.Errorf("a file without %s is verified: %+v", table, report)
		}
	}
}

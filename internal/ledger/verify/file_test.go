package verify_test

import (
	"fmt"
	"testing"

	"sokuji/internal/ledger/verify"
)

func TestSoundBooksHaveNoFindings(t *testing.T) {
	b := open(t)
	rows := make(map[string]string)
	for _, table := range []string{"wallets", "wallet_ledger", "usage_logs", "wallet_holds", "wallet_grants", "wallet_requests"} {
		rows[table] = b.pick(`SELECT COUNT(*) FROM ` + table)
	}
	// What is not there cannot be verified here, or tampered with below.
	for _, query := range []string{
		`SELECT COUNT(DISTINCT event_type) = 4 FROM wallet_ledger`,
		`SELECT COUNT(DISTINCT state) = 4 FROM wallet_holds`,
		`SELECT COUNT(DISTINCT state) = 2 FROM wallet_grants`,
		`SELECT COUNT(*) > 0 FROM wallet_grant_moves WHERE tokens < 0`,
	} {
		if b.pick(query) != "1" {
			t.Errorf("the books lack something: %s", query)
		}
	}
	report := b.verify(verify.Options{})
	if !report.Sound() || report.More != 0 {
		t.Fatal(show(report))
	}
	for table, read := range map[string]int64{
		"wallets": report.Wallets, "wallet_ledger": report.Entries, "usage_logs": report.Usage,
		"wallet_holds": report.Holds, "wallet_grants": report.Grants, "wallet_requests": report.Requests,
	} {
		if fmt.Sprint(read) != rows[table] || read == 0 {
			t.Errorf("%s: %d rows read of %s", table, read, rows[table])
		}
	}
}

func TestBooksWithoutAnEntryAreSound(t *testing.T) {
	if report := openCopy(t, emptyTemplate).verify(verify.Options{}); !report.Sound() || report.Entries != 0 {
		t.Fatal(show(report))
	}
}

func TestProgressReachesItsEnd(t *testing.T) {
	var done, total int64
	open(t).verify(verify.Options{Progress: func(d, n int64) {
		if d < done || d > n {
			t.Errorf("%d of %d after %d", d, n, done)
		}
		done, total = d, n
	}})
	if done != total || total == 0 {
		t.Errorf("it ended at %d of %d", done, total)
	}
}

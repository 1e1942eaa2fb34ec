package verify_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"sokuji/internal/ledger/verify"
)

// fuzzedColumns are columns of every table, with the row that is changed.
var fuzzedColumns = []struct{ table, column, where string }{
	{"wallet_ledger", "id", "seq = 3"}, {"wallet_ledger", "subject_type", "seq = 3"}, {"wallet_ledger", "subject_id", "seq = 3"},
	{"wallet_ledger", "seq", "seq = 3"}, {"wallet_ledger", "amount_tokens", "seq = 3"}, {"wallet_ledger", "balance_after", "seq = 3"},
	{"wallet_ledger", "event_type", "seq = 3"}, {"wallet_ledger", "metadata", "seq = 3"}, {"wallet_ledger", "created_at", "seq = 3"},
	{"wallet_ledger", "prev_hash", "seq = 3"}, {"wallet_ledger", "hash", "seq = 3"}, {"wallet_ledger", "reference_id", "seq = 3"},
	{"wallets", "balance_tokens", "rowid = 1"}, {"wallets", "held_tokens", "rowid = 1"}, {"wallets", "frozen", "rowid = 1"},
	{"wallets", "head_hash", "rowid = 1"}, {"wallets", "seq", "rowid = 1"},
	{"wallet_holds", "state", "rowid = 1"}, {"wallet_holds", "amount_tokens", "rowid = 1"}, {"wallet_holds", "ledger_id", "rowid = 1"},
	{"wallet_grants", "amount_tokens", "rowid = 1"}, {"wallet_grants", "expires_at", "rowid = 1"}, {"wallet_grants", "subject_id", "rowid = 1"},
	{"wallet_grant_moves", "tokens", "tokens < 0"}, {"usage_logs", "charged_tokens", "rowid = 1"}, {"usage_logs", "created_at", "rowid = 1"},
	{"usage_daily", "tokens", "rowid = 1"}, {"usage_daily", "uses", "rowid = 1"}, {"usage_quarters", "tokens", "subject_id = 'alice0000000001'"},
	{"wallet_requests", "entry_id", "entry_id != ''"}, {"wallet_requests", "subject_type", "entry_id != ''"},
}

// Whatever stands in a column, the verification ends without an error, and only
// finds nothing when nothing has changed.
func FuzzColumn(f *testing.F) {
	for i := range fuzzedColumns {
		f.Add(uint8(i), uint8(0), []byte("x"))
		f.Add(uint8(i), uint8(1), []byte{0xff, 0})
		f.Add(uint8(i), uint8(2), []byte("9223372036854775807"))
		f.Add(uint8(i), uint8(2), []byte("-9223372036854775808"))
		f.Add(uint8(i), uint8(3), []byte("1e308"))
		f.Add(uint8(i), uint8(4), []byte{})
	}
	f.Fuzz(func(t *testing.T, which, kind uint8, content []byte) {
		c := fuzzedColumns[int(which)%len(fuzzedColumns)]
		value := []string{`CAST(?1 AS TEXT)`, `CAST(?1 AS BLOB)`, `CAST(?1 AS INTEGER)`, `CAST(?1 AS REAL)`, `'' || ?1`}[kind%5]
		b := open(t)
		_, _ = b.db.Exec(`DROP INDEX idx_wallet_ledger_subject_seq`)
		row := ` WHERE ` + c.where + ` LIMIT 1)`
		key := "rowid"
		switch c.table {
		case "wallet_grant_moves":
			key = "ledger_id || grant_id"
		case "usage_quarters":
			key = "slot || subject_id"
		case "wallet_requests":
			key = "subject_id || kind || idempotency_key"
		}
		before := b.pick(`SELECT quote(` + c.column + `) FROM ` + c.table + ` WHERE ` + key + ` = (SELECT ` + key + ` FROM ` + c.table + row)
		changed := b.pick(`SELECT ` + key + ` FROM ` + c.table + ` WHERE ` + c.where + ` LIMIT 1`)
		if _, err := b.db.Exec(`UPDATE `+c.table+` SET `+c.column+` = `+value+` WHERE `+key+` = ?2`, content, changed); err != nil {
			t.Skip("the schema itself refuses it")
		}
		after := b.pick(`SELECT COUNT(*) FROM ` + c.table + ` WHERE ` + key + ` = '` + changed + `' AND quote(` + c.column + `) = ` + quoteSQL(before))
		report, err := b.tryVerify(verify.Options{})
		if err != nil {
			t.Fatalf("%s.%s: %v", c.table, c.column, err)
		}
		if report.Sound() != (after == "1") {
			t.Errorf("%s.%s, was %s, as %s of %q: sound is %v", c.table, c.column, before, value, content, report.Sound())
		}
	})
}

func quoteSQL(text string) string {
	return `'` + string(bytes.ReplaceAll([]byte(text), []byte(`'`), []byte(`''`))) + `'`
}

// Whatever a file is, reading it ends, and in one that is damaged a sound report
// only comes of bytes that do not count.
func FuzzFile(f *testing.F) {
	f.Add([]byte("SQLite format 3\x00"), uint32(0))
	f.Add([]byte{0xff}, uint32(100))
	f.Add([]byte{0, 0, 0, 0}, uint32(4096))
	f.Add(bytes.Repeat([]byte{0x55}, 600), uint32(70_000))
	f.Fuzz(func(t *testing.T, content []byte, at uint32) {
		whole, err := os.ReadFile(template)
		if err != nil {
			t.Fatal(err)
		}
		copy(whole[int(at)%len(whole):], content)
		for _, file := range [][]byte{content, whole} {
			path := filepath.Join(t.TempDir(), "data.db")
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			database, err := verify.OpenBackup(context.Background(), path)
			if err != nil {
				continue
			}
			_, _ = verify.File(context.Background(), database.DB, verify.Options{})
			var monitor verify.Monitor
			_, _ = monitor.Check(context.Background(), database.DB, 0)
			if err := database.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

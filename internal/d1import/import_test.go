package d1import_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sokuji/e2e/dumpgen"
	"sokuji/internal/d1import"
	"sokuji/internal/ledger"
)

// Random dumps: the books balance, the balances are the dump's, and a second run
// imports nothing. importFile verifies the books each time.
func TestAnyDumpBalances(t *testing.T) {
	const rounds = 12
	for seed := range uint64(rounds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			options := dumpgen.Options{Seed: seed, Users: 1 + random.IntN(20), Rows: random.IntN(600)}
			options.WrongBalances = random.IntN(options.Users + 1)
			text, facts := generate(t, options)
			h := newHouse(t)
			report := h.importText(text)
			if ledgerReport := report.Table("wallet_ledger"); ledgerReport.Imported != int64(options.Rows) || ledgerReport.Made != int64(options.WrongBalances) {
				t.Errorf("got %+v, want %d rows and %d adjustments", ledgerReport, options.Rows, options.WrongBalances)
			}
			h.checkBalances(options, facts)
			h.want(fmt.Sprint(facts.UseTokens), `SELECT COALESCE(SUM(tokens), 0) FROM usage_daily`)
			h.want(fmt.Sprint(facts.Uses), `SELECT COALESCE(SUM(uses), 0) FROM usage_quarters`)
			before := h.fingerprint()
			if again := h.importText(text); again.Imported() != 0 {
				t.Errorf("a second run imported %d rows", again.Imported())
			}
			if after := h.fingerprint(); after != before {
				t.Errorf("a second run changed data.db:\n%s\n%s", before, after)
			}
		})
	}
}

func (h *house) checkBalances(options dumpgen.Options, facts dumpgen.Facts) {
	h.t.Helper()
	for n, balance := range facts.Balances {
		h.want(fmt.Sprint(balance), `SELECT balance_tokens FROM wallets WHERE id = ?`, dumpgen.UserID(options.Seed, n))
	}
}

// fingerprint sums up all that an import writes.
func (h *house) fingerprint() string {
	h.t.Helper()
	var parts []string
	for _, query := range []string{
		`SELECT COUNT(*)||' '||COALESCE(SUM(length(tokenKey||password)),0) FROM users`, `SELECT COUNT(*) FROM scrypt_passwords`, `SELECT COUNT(*) FROM sessions`,
		`SELECT COUNT(*) FROM app_user`, `SELECT COUNT(*) FROM entitlements`, `SELECT COUNT(*)||' '||COALESCE(SUM(balance_tokens),0)||' '||SUM(seq) FROM wallets`,
		`SELECT group_concat(hash) FROM (SELECT hash FROM wallet_ledger ORDER BY rowid)`, `SELECT COUNT(*) FROM usage_logs`, `SELECT group_concat(uses||'-'||tokens) FROM usage_daily`,
		`SELECT group_concat(uses||'-'||tokens) FROM usage_quarters`, `SELECT COUNT(*) FROM audit_log`, `SELECT COUNT(*) FROM organizations`,
	} {
		parts = append(parts, h.value(query))
	}
	return strings.Join(parts, "|")
}

// Interrupted anywhere, a later run finishes what is left.
func TestAnInterruptedImportGoesOn(t *testing.T) {
	options := dumpgen.Options{Seed: 3, Users: 40, Rows: 9_000, WrongBalances: 5}
	text, facts := generate(t, options)
	h := newHouse(t)
	path := writeFile(t, text)
	whole, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	interruptions := 0
	for stop := int64(1_000); ; stop += 4_000 {
		ctx, cancel := context.WithCancel(context.Background())
		options := h.options()
		options.Progress = func(done, total int64) {
			if total != whole.Size() && done >= stop || total == whole.Size() && interruptions == 0 {
				cancel()
			}
		}
		_, err := d1import.Run(ctx, path, options)
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		interruptions++
	}
	if interruptions < 4 {
		t.Errorf("it was interrupted %d times: that tests little", interruptions)
	}
	h.verify()
	h.checkBalances(options, facts)
	h.want("9005", `SELECT COUNT(*) FROM wallet_ledger`)
	h.want(fmt.Sprint(facts.Uses), `SELECT COUNT(*) FROM usage_logs`)
	h.want("40", `SELECT COUNT(*) FROM sessions`)
	if again := h.importFile(path); again.Imported() != 0 {
		t.Errorf("a last run imported %d rows", again.Imported())
	}
	if entries, err := os.ReadDir(h.folder); err != nil || len(entries) != 0 {
		t.Errorf("the import left %v (%v)", entries, err)
	}
}

// A staging file is used again for the dump that it was made of, and no other.
func TestAStagingFileBelongsToItsDump(t *testing.T) {
	first, _ := generate(t, dumpgen.Options{Seed: 1, Users: 3, Rows: 50})
	second, facts := generate(t, dumpgen.Options{Seed: 2, Users: 3, Rows: 50})
	h := newHouse(t)
	interrupt := func(path string) (readBytes bool) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		options := h.options()
		options.KnowsProvider = nil
		size := int64(len(first))
		options.Progress = func(_, total int64) { readBytes = readBytes || total == size }
		options.Store = brokenStore{}
		if _, err := d1import.Run(ctx, path, options); !errors.Is(err, errBroken) {
			t.Fatalf("got %v", err)
		}
		return readBytes
	}
	path := writeFile(t, first)
	if !interrupt(path) {
		t.Error("the dump was not read")
	}
	if interrupt(path) {
		t.Error("the dump was read into a staging file again")
	}
	staging := filepath.Join(h.folder, d1import.StagingName)
	info, err := os.Stat(staging)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the staging file has mode %v (%v)", info.Mode(), err)
	}
	h.importText(second)
	h.want("3", `SELECT COUNT(*) FROM wallet_ledger WHERE seq = 1 AND id IN (SELECT id FROM wallet_ledger)`)
	h.checkBalances(dumpgen.Options{Seed: 2}, facts)
	// One that is no database is made anew.
	if err := os.WriteFile(staging, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if report := h.importText(second); report.Imported() != 0 {
		t.Errorf("imported %d rows", report.Imported())
	}
}

var errBroken = errors.New("the disk is gone")

// brokenStore is a ledger that cannot be written.
type brokenStore struct{ ledger.Store }

func (brokenStore) Begin(context.Context) (ledger.Tx, error) { return nil, errBroken }

func TestFilesThatAreNoDump(t *testing.T) {
	h := newHouse(t)
	whole, _ := generate(t, dumpgen.Options{Seed: 1, Users: 1, Rows: 3})
	for name, test := range map[string]struct{ text, want string }{
		"empty":            {"", "no table of the original backend"},
		"prose":            {"Dear all;\nnothing here;\n", "no table of the original backend"},
		"another database": {"CREATE TABLE cats(a);\nINSERT INTO cats VALUES(1);\n", "no table of the original backend"},
		"cut off":          {whole[:len(whole)/2], "the export was cut off"},
		"a binary":         {"SQLite format 3\x00\x01\x02'", "the export was cut off"},
	} {
		path := writeFile(t, test.text)
		if _, err := d1import.Run(context.Background(), path, h.options()); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := d1import.Run(context.Background(), filepath.Join(t.TempDir(), "gone.sql"), h.options()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := d1import.Run(context.Background(), t.TempDir(), h.options()); err == nil {
		t.Error("a folder was taken for a file")
	}
	if entries, err := os.ReadDir(h.folder); err != nil || len(entries) != 0 {
		t.Errorf("they left %v (%v)", entries, err)
	}
	h.want("0", `SELECT COUNT(*) FROM users`)
}

// What an older or a newer schema has, and what it does not, is told.
func TestOtherSchemas(t *testing.T) {
	text, _ := generate(t, dumpgen.Options{Seed: 1, Users: 2, Rows: 20, Without: []string{"processed_events", "usage_logs"}, Extra: map[string][]string{
		"": {
			"CREATE TABLE `d1_migrations` (id integer, name text);", `INSERT INTO "d1_migrations" VALUES(1,'a'),(2,'b');`,
			`INSERT INTO "wallets" VALUES(load_extension('x'));`,
			"CREATE TRIGGER t AFTER INSERT ON user BEGIN INSERT INTO user VALUES('x'); END;",
		},
	}})
	text = strings.Replace(text, "`scope` text,", "`scope` text,\n\t`nickName` text,", 1) // one column more, which stays empty
	text = strings.ReplaceAll(text, "NULL,NULL,NULL,NULL,NULL,NULL,'00112233", "NULL,NULL,NULL,NULL,NULL,NULL,NULL,'00112233")
	text = strings.Replace(text, "\t`image` text,\n", "", 1)
	text = strings.ReplaceAll(text, ".example',1,NULL,", ".example',1,")
	text = strings.ReplaceAll(text, ".example',0,NULL,", ".example',0,")
	report := newHouse(t).importText(text)
	encoded, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"table":"usage_logs","read":0,"imported":0,"alreadyThere":0,"skipped":0,"made":0,"missing":true`,
		`"missingColumns":["image"]`, `"unknownColumns":["nickname"]`, `"otherTables":[{"table":"d1_migrations","rows":2}]`, `a function is none that dumps use`,
	} {
		if !strings.Contains(string(encoded), want) {
			t.Errorf("no %s in %s", want, encoded)
		}
	}
	if users, accounts := report.Table("user"), report.Table("account"); users.Imported != 2 || accounts.Imported != 2 {
		t.Errorf("got %+v and %+v", users, accounts)
	}
}

// Other ways of writing the same rows.
func TestOtherForms(t *testing.T) {
	h := newHouse(t)
	report := h.importText(strings.Join(append(schemaLines(),
		`INSERT INTO "user" ("email","id","name","createdAt","updatedAt","emailVerified") VALUES('ada@example.com','`+ada+`',replace('Ada\nLovelace','\n',char(10)),1,1,0),`+
			"\n\t('grace@example.com','"+ghost+"',unistr('Gr\\u00e4ce'),1,1,0);",
		`INSERT INTO "wallet_ledger" VALUES('e1','user','`+ada+`',5,'mint',NULL,NULL,NULL,NULL,'over`+"\n"+`two lines; and ''quoted''',X'7b7d','2026-10-01T00:00:00.000Z');`,
	), "\n"))
	if report.Table("user").Imported != 2 || len(report.Problems) > 0 {
		t.Errorf("got %+v", report)
	}
	h.want("Ada\nLovelace", `SELECT name FROM users WHERE id = ?`, ada)
	h.want("Gräce", `SELECT name FROM users WHERE id = ?`, ghost)
	h.want("over\ntwo lines; and 'quoted'{}", `SELECT description||metadata FROM wallet_ledger`)
	// wrangler's --no-schema leaves CREATE TABLE out.
	bare := newHouse(t)
	if report := bare.importText(adaRow); report.Table("user").Imported != 1 {
		t.Errorf("got %+v", report.Table("user"))
	}
}

// Of a statement that breaks in its middle nothing is imported, as the report says.
func TestABrokenStatementHasNoRows(t *testing.T) {
	text := strangeDump(map[string][]string{"wallet_ledger": {
		"INSERT INTO \"wallet_ledger\" VALUES(" + entryRow("e1", "5", "mint") + "),(" + entryRow("e2", "6", "mint") + ",broken;",
		"INSERT INTO \"wallet_ledger\" VALUES(" + entryRow("e3", "7", "mint") + "),(" + entryRow("e4", "8", "mint") + ");",
	}})
	h := newHouse(t)
	report := h.importText(text)
	if got := report.Table("wallet_ledger"); got.Read != 2 || got.Imported != 2 || len(report.Problems) != 1 || report.Problems[0].Count != 1 {
		t.Errorf("got %+v and %+v", got, report.Problems)
	}
	h.want("e3 e4", `SELECT group_concat(id, ' ') FROM (SELECT id FROM wallet_ledger ORDER BY seq)`)
	h.want("15", `SELECT balance_tokens FROM wallets WHERE id = ?`, ada)
}

// A later dump brings what is new, and an adjustment for what is different.
func TestALaterDump(t *testing.T) {
	h := newHouse(t)
	wallet := func(balance string) []string { return rowsOf("wallets", "'user','"+ada+"',"+balance+",0,NULL") }
	entries := []string{entryRow("e1", "100", "mint"), entryRow("e2", "-10", "use")}
	h.importText(strangeDump(map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entries[0]), "wallets": wallet("103")}))
	h.want("103", `SELECT balance_tokens FROM wallets`)
	report := h.importText(strangeDump(map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entries...), "wallets": wallet("95")}))
	if got := report.Table("wallet_ledger"); got.Imported != 1 || got.AlreadyThere != 1 || got.Made != 1 {
		t.Errorf("got %+v", got)
	}
	h.want("95", `SELECT balance_tokens FROM wallets`)
	h.want("3 2", `SELECT group_concat(amount_tokens, ' ') FROM (SELECT amount_tokens FROM wallet_ledger WHERE event_type = 'adjust' ORDER BY seq)`)
}

// What a user has changed or ended since their import stays so.
func TestASecondImportRevivesNothing(t *testing.T) {
	text, _ := generate(t, dumpgen.Options{Seed: 1, Users: 1, Rows: 5})
	h := newHouse(t)
	h.importText(text)
	for _, statement := range []string{
		`DELETE FROM scrypt_passwords`, `DELETE FROM sessions`, `UPDATE users SET name = 'New', password = 'new', email = 'new@example.com'`,
		`UPDATE entitlements SET plan_id = 'pro_plan'`, `UPDATE wallets SET frozen = 1, frozen_reason = 'abuse'`,
		`INSERT INTO audit_log (id, actor, action, subject_type, subject_id, reason, created_at)
			SELECT 'freeze', 'superuser:x', 'wallet.freeze', subject_type, subject_id, 'abuse', '2026-11-24 08:00:00.000Z' FROM wallets`,
		`DELETE FROM app_user`,
	} {
		if _, err := h.writer.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if report := h.importText(text); report.Imported() != 0 {
		t.Errorf("imported %d rows", report.Imported())
	}
	h.want("0", `SELECT COUNT(*) FROM scrypt_passwords`)
	h.want("0", `SELECT COUNT(*) FROM sessions`)
	h.want("New new new@example.com", `SELECT name||' '||password||' '||email FROM users`)
	h.want("pro_plan", `SELECT plan_id FROM entitlements`)
	h.want("abuse", `SELECT frozen_reason FROM wallets`)
}

// Nobody's password is known, and no two users share a token key.
func TestImportedSecrets(t *testing.T) {
	text, _ := generate(t, dumpgen.Options{Seed: 1, Users: 30, Rows: 0})
	h := newHouse(t)
	h.importText(text)
	h.want("30", `SELECT COUNT(DISTINCT tokenKey) FROM users WHERE length(tokenKey) >= 30`)
	h.want("30", `SELECT COUNT(*) FROM users WHERE password LIKE '$2a$10$%' AND length(password) = 60`)
	h.want("0", `SELECT COUNT(*) FROM sessions WHERE token_hash = ? OR id = ?`, dumpgen.Token(1, 0), dumpgen.Token(1, 0))
}

// A dump of a server like this one has our adjustments among its entries.
func TestAnAdjustmentInTheDumpCountsOnce(t *testing.T) {
	rows := func(balance string, more ...string) string {
		return strangeDump(map[string][]string{"wallets": rowsOf("wallets", "'user','"+ada+"',"+balance+",0,NULL"), "wallet_ledger": rowsOf("wallet_ledger", more...)})
	}
	adjustment := "'a1','user','" + ada + "',7,'adjust','d1_import',NULL,NULL,'d1-import:balance:user:" + ada + ":0','x',NULL,'2026-10-01T00:00:00.000Z'"
	h := newHouse(t)
	if report := h.importText(rows("7", adjustment)); report.Table("wallet_ledger").Made != 0 {
		t.Errorf("got %+v", report.Table("wallet_ledger"))
	}
	h.want("7", `SELECT balance_tokens FROM wallets`)
	if report := h.importText(rows("9", adjustment)); report.Table("wallet_ledger").Made != 1 {
		t.Errorf("got %+v", report.Table("wallet_ledger"))
	}
	h.want("9", `SELECT balance_tokens FROM wallets`)
	if report := h.importText(rows("9", adjustment)); report.Table("wallet_ledger").Made != 0 {
		t.Errorf("got %+v", report.Table("wallet_ledger"))
	}
	h.want("9", `SELECT balance_tokens FROM wallets`)
}

// What one owner has beyond the bound is told, if not by name.
func TestRowsBeyondTheBoundAreCounted(t *testing.T) {
	const more = 10_003
	values := make([]string, more)
	for n := range values {
		values[n] = fmt.Sprintf("%d,'%s','Ada',NULL,NULL,0,0,NULL,NULL", n+1, ada)
	}
	report := newHouse(t).importText(strangeDump(map[string][]string{"app_user": rowsOf("app_user", values...)}))
	got := report.Table("app_user")
	if got.Read != more || got.Imported != 1 || !names(got, "more than 10000 rows", "(not looked at)") {
		t.Errorf("got %+v", got)
	}
}

package export_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"sokuji/internal/export"
)

// loaded executes SQL text in a fresh database.
func loaded(t *testing.T, text string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "loaded.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec(text); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestSQLIsReadBackAsItWas(t *testing.T) {
	f := open(t)
	f.user("ada000000000001")
	f.user("bob000000000001")
	f.scryptPassword("bob000000000001")
	path, report := f.run(export.SQL)
	text := read(t, path)
	db := loaded(t, text)
	for query, want := range map[string]any{
		`SELECT group_concat(id) FROM user`:                                                  "ada000000000001,bob000000000001",
		`SELECT name FROM user LIMIT 1`:                                                      strange,
		`SELECT emailVerified FROM user LIMIT 1`:                                             int64(1),
		`SELECT createdAt FROM user LIMIT 1`:                                                 int64(1767323045),
		`SELECT image IS NULL FROM user LIMIT 1`:                                             int64(1),
		`SELECT password FROM account WHERE userId LIKE 'ada%' AND password NOT NULL`:        "$2a$10$" + strings.Repeat("b", 53),
		`SELECT passwordFormat FROM account WHERE userId LIKE 'ada%' LIMIT 1`:                "bcrypt",
		`SELECT password FROM account WHERE passwordFormat = 'scrypt'`:                       strings.Repeat("a", 32) + ":" + strings.Repeat("b", 128),
		`SELECT accountId FROM account WHERE providerId = 'google' ORDER BY 1 LIMIT 1`:       "g-ada000000000001",
		`SELECT balance_tokens FROM wallets WHERE subject_id LIKE 'ada%'`:                    int64(9007199254740991),
		`SELECT typeof(balance_tokens) FROM wallets WHERE subject_id LIKE 'ada%'`:            "integer",
		`SELECT frozen FROM wallets LIMIT 1`:                                                 int64(1),
		`SELECT description FROM wallet_ledger LIMIT 1`:                                      strange,
		`SELECT metadata FROM wallet_ledger LIMIT 1`:                                         `{"a": [1, "\n"]}`,
		`SELECT created_at FROM wallet_ledger LIMIT 1`:                                       "2026-01-02T03:04:05.678Z",
		`SELECT input_ratio FROM usage_logs LIMIT 1`:                                         0.5,
		`SELECT raw_payload FROM webhook_logs LIMIT 1`:                                       strange,
		`SELECT headers FROM webhook_logs LIMIT 1`:                                           "no json",
		`SELECT processed_at IS NULL FROM webhook_logs LIMIT 1`:                              int64(1),
		`SELECT kind FROM sessions LIMIT 1`:                                                  "better_auth",
		`SELECT count(*) FROM plans`:                                                         int64(7),
		`SELECT subscription || ' ' || token_quota FROM app_user LIMIT 1`:                    "free_plan 0",
		`SELECT idempotency_key FROM wallet_requests LIMIT 1`:                                strange,
		`SELECT count(*) FROM pragma_foreign_key_check`:                                      int64(0),
		`SELECT sum(tokens) FROM wallet_grant_moves`:                                         int64(10),
		`SELECT group_concat(role) FROM memberships`:                                         "owner,owner",
		`SELECT sql LIKE '%PRIMARY KEY%' FROM sqlite_schema WHERE name = 'processed_events'`: int64(1),
	} {
		var got any
		if err := db.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %v, want %v (%v)", query, got, want, err)
		}
	}
	for _, table := range report.Tables {
		var rows int64
		if err := db.QueryRow(`SELECT count(*) FROM [` + table.Table + `]`).Scan(&rows); err != nil || rows != table.Rows || rows == 0 {
			t.Errorf("%s: %d rows, reported %d (%v)", table.Table, rows, table.Rows, err)
		}
	}
	if strings.Contains(text, "\r") || strings.Contains(text, "\x00") {
		t.Error("a control stands in the text")
	}
	// a statement a line, but for CREATE TABLE
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if strings.HasPrefix(line, "INSERT") && !strings.HasSuffix(line, ");") {
			t.Errorf("a statement is broken: %s", line)
		}
	}
}

// What the original's dump has comes first, in its order.
func TestTheOriginalsColumnsComeFirst(t *testing.T) {
	path, _ := open(t).run(export.SQL)
	db := loaded(t, read(t, path))
	for table, want := range map[string]string{
		"user":             "id,name,email,emailVerified,image,createdAt,updatedAt",
		"account":          "id,accountId,providerId,userId,accessToken,refreshToken,idToken,accessTokenExpiresAt,refreshTokenExpiresAt,scope,password,createdAt,updatedAt",
		"app_user":         "id,better_auth_user_id,first_name,last_name,subscription,token_quota,tokens_used,created_at,updated_at",
		"plans":            "plan_id,monthly_quota_tokens,price_cents,created_at,updated_at",
		"wallets":          "subject_type,subject_id,balance_tokens,frozen,updated_at",
		"wallet_ledger":    "id,subject_type,subject_id,amount_tokens,event_type,reference_type,reference_id,plan_id,external_event_id,description,metadata,created_at",
		"entitlements":     "subject_type,subject_id,plan_id,max_concurrent_sessions,rate_limit_rpm,features,updated_at",
		"usage_logs":       "id,subject_type,subject_id,provider,model,endpoint,method,input_tokens,output_tokens,total_tokens,adjusted_input_tokens,adjusted_output_tokens,adjusted_total_tokens,input_ratio,output_ratio,modality,session_id,request_id,response_id,event_type,ledger_id,metadata,created_at",
		"webhook_logs":     "id,event_id,event_type,user_id,raw_payload,headers,processed_at,processing_status,error_message,retry_count,webhook_signature,ip_address,createdAt,updatedAt",
		"processed_events": "event_id,created_at",
	} {
		var got string
		err := db.QueryRow(`SELECT group_concat(name) FROM pragma_table_info(?)`, table).Scan(&got)
		if err != nil || got != want && !strings.HasPrefix(got, want+",") {
			t.Errorf("%s: %s (%v)", table, got, err)
		}
	}
}

// Every table of the database is exported or has a reason not to be, and no column
// is forgotten.
func TestNothingIsForgotten(t *testing.T) {
	f := open(t)
	path, _ := f.run(export.SQL)
	out := loaded(t, read(t, path))
	elsewhere := map[string]string{ // where it goes, or why it does not
		"users": "user", "scrypt_passwords": "account", "usage_quarters": "sums of usage_logs", "usage_archives": "usage_logs",
		"wallet_closings": "notes for a moment", "books_mark": "how far a check came", "verifications": "codes of minutes",
	}
	left := map[string]bool{ // columns that stay, or that have another name outside
		"plans.id": true, "entitlements.id": true, "wallets.id": true, "webhook_logs.created_at": true, "webhook_logs.updated_at": true,
		"sessions.token_hash": true, "sessions.token_key_hash": true, "api_keys.key_hash": true, "api_keys.old_key_hash": true,
		"wallet_requests.hold": true, "wallet_requests.items": true, "providers.api_key": true,
	}
	tables, err := f.db().Query(`SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE '\_%' ESCAPE '\' AND m.name NOT LIKE 'sqlite%'`)
	if err != nil {
		t.Fatal(err)
	}
	defer tables.Close()
	seen := 0
	for tables.Next() {
		var table, column string
		if err := tables.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		seen++
		if elsewhere[table] != "" || left[table+"."+column] {
			continue
		}
		var is bool
		err := out.QueryRow(`SELECT EXISTS (SELECT 1 FROM pragma_table_info(?) WHERE name = ?)`, table, column).Scan(&is)
		if err != nil || !is {
			t.Errorf("%s.%s is not exported (%v)", table, column, err)
		}
	}
	if seen < 150 {
		t.Fatalf("only %d columns were looked at", seen)
	}
}

func TestNoSecretLeaves(t *testing.T) {
	f := open(t)
	f.user("ada000000000001")
	f.execute(`INSERT INTO verifications (purpose, subject, hash, sealed, user_id, token_key_hash, session_id, attempts, created_at, expires_at)
		VALUES ('p', 's', 'canary-code-hash', 'canary-sealed', 'ada000000000001', 'canary-token-key-hash', '', 0, ?, ?)`, at, at)
	path, _ := f.run(export.SQL)
	whole := read(t, path)
	folder, _ := f.run(export.JSONL)
	files, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		whole += read(t, file)
	}
	var own bytes.Buffer
	if err := export.WriteUser(t.Context(), f.db(), "ada000000000001", now, &own); err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		if strings.Contains(whole+own.String(), secret) {
			t.Errorf("%s left", secret)
		}
	}
	if !strings.Contains(whole, "$2a$10$") || strings.Contains(own.String(), "$2a$10$") || strings.Contains(own.String(), "superuser:") {
		t.Error("the password's hash belongs into the whole, and only there")
	}
}

func TestJSONLinesAreWhole(t *testing.T) {
	f := open(t)
	f.user("ada000000000001")
	folder, report := f.run(export.JSONL)
	for _, table := range report.Tables {
		lines := strings.Split(strings.TrimSuffix(read(t, filepath.Join(folder, table.Table+".jsonl")), "\n"), "\n")
		if int64(len(lines)) != table.Rows || table.Rows == 0 {
			t.Errorf("%s: %d lines, reported %d", table.Table, len(lines), table.Rows)
		}
		for _, line := range lines {
			if !json.Valid([]byte(line)) {
				t.Errorf("%s: %s", table.Table, line)
			}
		}
	}
	var entry struct {
		Description string
		Amount      json.Number `json:"amount_tokens"`
		Metadata    struct{ A []any }
	}
	if err := json.Unmarshal([]byte(read(t, filepath.Join(folder, "wallet_ledger.jsonl"))), &entry); err != nil {
		t.Fatal(err)
	}
	if entry.Description != strange || entry.Amount != "9007199254740991" || len(entry.Metadata.A) != 2 {
		t.Errorf("got %+v", entry)
	}
	hook := read(t, filepath.Join(folder, "webhook_logs.jsonl"))
	if !strings.Contains(hook, `"headers":"no json"`) || !strings.Contains(hook, `"processed_at":null`) {
		t.Errorf("got %s", hook)
	}
}

func TestAnExportIsWholeOrNotThere(t *testing.T) {
	f := open(t)
	f.user("ada000000000001")
	broken := errors.New("a server has started")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx    context.Context
		change func(*export.Options)
	}{
		"interrupted":         {stopped, func(*export.Options) {}},
		"changed meanwhile":   {t.Context(), func(o *export.Options) { o.Check = func() error { return broken } }},
		"a closed database":   {t.Context(), func(o *export.Options) { o.DB = closed(t) }},
		"no folder for it":    {t.Context(), func(o *export.Options) { o.Path = filepath.Join(o.Path, "sub", "out") }},
		"an unreadable table": {t.Context(), func(o *export.Options) { o.DB = empty(t) }},
	} {
		for _, format := range []export.Format{export.SQL, export.JSONL} {
			folder := t.TempDir()
			options := export.Options{DB: f.db(), Format: format, Path: filepath.Join(folder, "out")}
			c.change(&options)
			_, err := export.Run(c.ctx, options)
			files, _ := os.ReadDir(folder)
			if err == nil || len(files) != 0 {
				t.Errorf("%s, %s: %v, and there is %v", name, format, err, files)
			}
		}
	}
}

func closed(t *testing.T) *sql.DB {
	t.Helper()
	db := empty(t)
	db.Close()
	return db
}

func empty(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestWhatIsThereStays(t *testing.T) {
	f := open(t)
	for _, format := range []export.Format{export.SQL, export.JSONL} {
		path := filepath.Join(t.TempDir(), "out")
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := export.Run(t.Context(), export.Options{DB: f.db(), Format: format, Path: path}); err == nil || read(t, path) != "mine" {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestOnlyTheOwnerMayReadIt(t *testing.T) {
	f := open(t)
	file, _ := f.run(export.SQL)
	folder, _ := f.run(export.JSONL)
	for path, want := range map[string]os.FileMode{file: 0o600, folder: 0o700 | os.ModeDir, filepath.Join(folder, "user.jsonl"): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v (%v)", path, info.Mode(), err)
		}
	}
}

// archive writes a file of usage rows as usagearchive does, with its manifest.
func (f fixture) archive(folder, name string, rows int, isRemoved bool, ids ...string) {
	f.t.Helper()
	var text bytes.Buffer
	zip := gzip.NewWriter(&text)
	for _, id := range ids {
		fmt.Fprintf(zip, `{"id":%q,"subject_type":"user","subject_id":"ada000000000001","provider":"openai","model":"m","input_tokens":7,`+
			`"input_ratio":0.5,"charged_tokens":11,"metadata":{"k":1},"rates":null,"created_at":%q,"removed_since":"x"}`+"\n", id, at)
	}
	if err := zip.Close(); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name), text.Bytes(), 0o600); err != nil {
		f.t.Fatal(err)
	}
	f.execute(`INSERT INTO usage_archives (file, first_id, last_id, rows, tokens, cutoff, sha256, created_at) VALUES (?, '', '', ?, 0, '', '', '')`, name, rows)
	if isRemoved {
		f.execute(`UPDATE usage_archives SET removed = 1 WHERE file = ?`, name)
	}
}

func TestArchivedUsageIsInIt(t *testing.T) {
	f := open(t)
	f.user("ada000000000001")
	f.usage("both", "ada000000000001")
	folder := t.TempDir()
	f.archive(folder, "1.jsonl.gz", 2, true, "old1", "old2")
	f.archive(folder, "2.jsonl.gz", 2, false, "old3", "both") // it was stopped halfway
	in := func(o *export.Options) { o.ArchiveFolder = folder }
	path, report := f.run(export.SQL, in)
	if len(report.Unread) != 0 {
		t.Fatalf("unread: %v", report.Unread)
	}
	db := loaded(t, read(t, path))
	var ids, row string
	err := db.QueryRow(`SELECT group_concat(id ORDER BY id), (SELECT provider || input_tokens || input_ratio || charged_tokens || metadata || created_at || (rates IS NULL)
		FROM usage_logs WHERE id = 'old1') FROM usage_logs`).Scan(&ids, &row)
	if err != nil || ids != "both,old1,old2,old3,usageada000000000001" || row != `openai70.511{"k":1}2026-01-02T03:04:05.678Z1` {
		t.Errorf("got %s and %s (%v)", ids, row, err)
	}
	// what cannot be read is told, and the rest is there
	f.archive(folder, "3.jsonl.gz", 5, true, "old4")
	f.archive(folder, "4.jsonl.gz", 1, true, "old5")
	for name, content := range map[string]string{"4.jsonl.gz": "no gzip"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(folder, "1.jsonl.gz")); err != nil {
		t.Fatal(err)
	}
	_, report = f.run(export.SQL, in)
	if len(report.Unread) != 3 {
		t.Errorf("unread: %q", report.Unread)
	}
	_, report = f.run(export.SQL)
	if len(report.Unread) != 4 {
		t.Errorf("without a folder, unread: %q", report.Unread)
	}
}

func TestProgressComesToItsEnd(t *testing.T) {
	f := open(t)
	f.user("ada000000000001")
	var done, total int64
	_, report := f.run(export.SQL, func(o *export.Options) {
		o.Progress = func(d, all int64) { done, total = d, all }
	})
	rows := int64(0)
	for _, table := range report.Tables {
		rows += table.Rows
	}
	if done != rows || total != rows {
		t.Errorf("%d of %d were told, %d were written", done, total, rows)
	}
}

// Rows that come while it runs are not in it: it shows one moment.
func TestItIsOneSnapshot(t *testing.T) {
	f := open(t)
	f.user("ada000000000001")
	f.manyUses(3_000)
	told := 0
	path, _ := f.run(export.SQL, func(o *export.Options) {
		o.Progress = func(int64, int64) {
			if told++; told == 1 { // among the usage rows; the audit log comes after them
				f.execute(`INSERT INTO audit_log (id, actor, action, subject_type, subject_id, created_at) VALUES ('late', 'a', 'a', 'user', 'u', ?)`, at)
			}
		}
	})
	if told < 3 {
		t.Fatalf("the progress was told %d times", told)
	}
	if strings.Contains(read(t, path), "'late'") {
		t.Error("a later row is in it")
	}
}

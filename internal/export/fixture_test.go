package export_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tests"

	"sokuji/internal/export"
	_ "sokuji/migrations"
)

// strange is a text with all that a dump can stumble over.
const strange = "O'Neil \"x\" \\n \\r0 line\nfeed\r\nzero\x00 ü 🦊 ; -- /* ); \\"

// secrets stand in columns that must not leave.
var secrets = []string{"canary-token-hash", "canary-token-key-hash", "canary-key-hash", "canary-token-key", "canary-sealed", "canary-code-hash"}

// fixture is a database with rows in every table.
type fixture struct {
	t   *testing.T
	app *tests.TestApp
}

func open(t *testing.T) fixture {
	t.Helper()
	app, err := tests.NewTestApp(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	return fixture{t, app}
}

func (f fixture) db() *sql.DB { return f.app.ConcurrentDB().(*dbx.DB).DB() }

func (f fixture) execute(statement string, arguments ...any) {
	f.t.Helper()
	if _, err := f.app.NonconcurrentDB().(*dbx.DB).DB().Exec(statement, arguments...); err != nil {
		f.t.Fatalf("%s: %v", statement, err)
	}
}

const at = "2026-01-02 03:04:05.678Z"

// user writes an account and all that hangs on it, by SQL.
func (f fixture) user(id string) {
	f.t.Helper()
	f.execute(`INSERT INTO users (id, email, name, image, avatar, verified, password, tokenKey, created, updated) VALUES (?, ?, ?, ?, 'face.png', TRUE, ?, ?, ?, ?)`,
		id, id+"@example.com", strange, "", "$2a$10$"+strings.Repeat("b", 53), "canary-token-key"+id, at, at)
	f.execute(`INSERT INTO app_user (id, better_auth_user_id, first_name, created_at, updated_at) VALUES (?, ?, ?, ?, ?)`, "app"+id, id, strange, at, at)
	f.execute(`INSERT INTO wallets (id, subject_type, subject_id, balance_tokens, frozen, seq, head_hash, created_at, updated_at)
		VALUES (?, 'user', ?, 9007199254740991, TRUE, 1, 'head', ?, ?)`, id, id, at, at)
	f.execute(`INSERT INTO wallet_ledger (id, subject_type, subject_id, seq, amount_tokens, balance_after, event_type, external_event_id, description, metadata, created_at, hash)
		VALUES (?, 'user', ?, 1, 9007199254740991, 9007199254740991, 'mint', ?, ?, ?, ?, 'h')`,
		"entry"+id, id, "evt"+id, strange, `{"a": [1, "`+"\\n"+`"]}`, at)
	f.execute(`INSERT INTO entitlements (id, subject_type, subject_id, plan_id, max_concurrent_sessions, rate_limit_rpm, updated_at)
		VALUES (?, 'user', ?, 'free_plan', 1, 60, ?)`, "ent"+id, id, at)
	f.usage("usage"+id, id)
	f.execute(`INSERT INTO sessions (id, user, token_hash, token_key_hash, expires_at, remember, user_agent, created_at, updated_at)
		VALUES (?, ?, ?, 'canary-token-key-hash', ?, TRUE, ?, ?, ?)`, "session"+id, id, "canary-token-hash"+id, at, strange, at, at)
	f.execute(`INSERT INTO api_keys (id, user, name, prefix, key_hash, scopes, created_at, updated_at)
		VALUES (?, ?, ?, 'sk-sokuji-abc', ?, '["gateway"]', ?, ?)`, "key"+id, id, strange, "canary-key-hash"+id, at, at)
	f.execute(`UPDATE api_keys SET old_key_hash = ? WHERE id = ?`, "canary-old-key-hash"+id, "key"+id)
	f.execute(`INSERT INTO api_key_spending (key_id, tokens, held_tokens, day, day_tokens, month, month_tokens)
		VALUES (?, 11, 5, '2026-01-02', 11, '2026-01', 11)`, "key"+id)
	f.execute(`INSERT INTO organizations (id, name, created_at, updated_at) VALUES (?, ?, ?, ?)`, "org"+id, strange, at, at)
	f.execute(`INSERT INTO providers (id, name, kind, base_url, api_key, created_at, updated_at) VALUES (?, ?, 'openai', ?, 'v1:canary-sealed-key', ?, ?)`,
		"provider"+id, "provider-"+id, strange, at, at)
	f.execute(`INSERT INTO memberships (id, organization, user, role, created_at, updated_at) VALUES (?, ?, ?, 'owner', ?, ?)`, "seat"+id, "org"+id, id, at, at)
	f.execute(`INSERT INTO wallet_holds (id, subject_type, subject_id, amount_tokens, state, created_at, expires_at) VALUES (?, 'user', ?, 5, 'open', ?, ?)`, "hold"+id, id, at, at)
	f.execute(`INSERT INTO wallet_grants (id, subject_type, subject_id, amount_tokens, remaining_tokens, state, created_at, expires_at)
		VALUES (?, 'user', ?, 5, 5, 'live', ?, ?)`, "grant"+id, id, at, at)
	f.execute(`INSERT INTO wallet_grant_moves (ledger_id, grant_id, tokens) VALUES (?, ?, 5)`, "entry"+id, "grant"+id)
	f.execute(`INSERT INTO wallet_requests (subject_id, kind, idempotency_key, subject_type, fingerprint, entry_id, balance, held, frozen, refundable, created_at)
		VALUES (?, 'mint', ?, 'user', 'f', ?, 1, 0, 0, 0, ?)`, id, strange, "entry"+id, at)
	f.execute(`INSERT INTO usage_daily (id, subject_type, subject_id, day, uses, tokens) VALUES (?, 'user', ?, '2026-01-02', 1, 2)`, "day"+id, id)
	f.execute(`INSERT INTO audit_log (id, actor, action, subject_type, subject_id, details, created_at) VALUES (?, 'superuser:someone', 'wallet.mint', 'user', ?, '{}', ?)`, "audit"+id, id, at)
	f.execute(`INSERT INTO webhook_logs (id, event_id, event_type, user_id, raw_payload, headers, processed_at, created_at, updated_at)
		VALUES (?, ?, 'payment', ?, ?, 'no json', '', ?, ?)`, "hook"+id, "evt"+id, id, strange, at, at)
	f.execute(`INSERT INTO processed_events (event_id, created_at) VALUES (?, ?)`, "evt"+id, at)
	f.execute(`INSERT INTO _externalAuths (id, collectionRef, recordRef, provider, providerId, created, updated)
		VALUES (?, (SELECT id FROM _collections WHERE name = 'users'), ?, 'google', ?, ?, ?)`, "ext"+id, id, "g-"+id, at, at)
}

func (f fixture) usage(id, user string) {
	f.t.Helper()
	f.execute(`INSERT INTO usage_logs (id, subject_type, subject_id, provider, model, input_tokens, input_ratio, charged_tokens, metadata, created_at)
		VALUES (?, 'user', ?, 'openai', ?, 7, 0.5, 11, ?, ?)`, id, user, strange, `{"k":"`+"\\u0000"+`"}`, at)
}

func (f fixture) scryptPassword(user string) {
	f.t.Helper()
	f.execute(`INSERT INTO scrypt_passwords (user_id, hash) VALUES (?, ?)`, user, strings.Repeat("a", 32)+":"+strings.Repeat("b", 128))
}

// run exports to a new place.
func (f fixture) run(format export.Format, change ...func(*export.Options)) (string, export.Report) {
	f.t.Helper()
	options := export.Options{DB: f.db(), Format: format, Path: filepath.Join(f.t.TempDir(), "out")}
	for _, c := range change {
		c(&options)
	}
	report, err := export.Run(f.t.Context(), options)
	if err != nil {
		f.t.Fatal(err)
	}
	return options.Path, report
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// manyUses writes usage rows of ada's.
func (f fixture) manyUses(rows int) {
	f.t.Helper()
	f.execute(`INSERT INTO usage_logs (id, subject_type, subject_id, provider, model, metadata, created_at)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		SELECT 'u' || i, 'user', 'ada000000000001', 'p', 'm', '{}', ? FROM n`, rows, at)
}

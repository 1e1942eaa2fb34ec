package d1import_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sokuji/e2e/dumpgen"
	"sokuji/internal/d1import"
)

const (
	ada    = "AdaAdaAdaAdaAdaAdaAdaAdaAdaAdaAd"
	ghost  = "GhostGhostGhostGhostGhostGhostGh"
	adaRow = `INSERT INTO "user" VALUES('` + ada + `','Ada','ada@example.com',1,NULL,1795416104,1795416104);`
	hash   = "00112233445566778899aabbccddeeff:73122e887cfc14f91396cdef78dfe4b9dec28d459037601c4904cedba5a637ab97b39b40c236df5d42881d0109ca8cf0f85e39dbaba2911c190915bd8f30fe85"
	bcrypt = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"
)

// rowsOf writes an INSERT of a table for each list of values.
func rowsOf(table string, values ...string) (lines []string) {
	for _, list := range values {
		lines = append(lines, fmt.Sprintf(`INSERT INTO "%s" VALUES(%s);`, table, list))
	}
	return lines
}

// entry is a row of the ledger of Ada, or of another subject.
func entryRow(id, amount, event string) string {
	return "'" + id + "','user','" + ada + "'," + amount + ",'" + event + "',NULL,NULL,NULL,NULL,NULL,NULL,'2026-10-01T00:00:00.000Z'"
}

func usageRow(id, subject, ledgerID string) string {
	return "'" + id + "','user','" + subject + "','openai','gpt','/v1','WS',10,20,30,1,2,3,0.1,0.1,'text','s',NULL,'r','response.done'," + ledgerID + ",'{}','2026-10-01T00:00:00.000Z'"
}

func sessionRow(id, token, expires, user string) string {
	return "'" + id + "'," + expires + ",'" + token + "',1795416104,1795416104,'203.0.113.7','agent','" + user + "'"
}

func accountRow(id, account, provider, user, password string) string {
	return "'" + id + "','" + account + "','" + provider + "','" + user + "',NULL,NULL,NULL,NULL,NULL,NULL," + password + ",1795416104,1795416104"
}

type strange struct {
	name   string
	rows   map[string][]string // by table, beside Ada
	table  string              // whose report is looked at
	counts string              // read, imported, skipped, made
	reason string              // why rows are skipped, or noted; a part of it
	of     string              // a row that it names
	values map[string]string   // what data.db says afterwards
}

var strangeRows = []strange{
	{name: "an e-mail in other letters", table: "user", counts: "2 1 1 0", reason: "another user's", of: ghost,
		rows: map[string][]string{
			"user":    rowsOf("user", "'"+ghost+"','G',' ADA@Example.com',1,NULL,1,1"),
			"account": rowsOf("account", accountRow("a1", ghost, "credential", ghost, "'"+hash+"'")),
			"session": rowsOf("session", sessionRow("s1", "t1", "1796020904", ghost)),
			"wallets": rowsOf("wallets", "'user','"+ghost+"',5,0,NULL"),
		},
		values: map[string]string{
			`SELECT COUNT(*) FROM users`:                                  "1",
			`SELECT COUNT(*) FROM sessions`:                               "0",
			`SELECT balance_tokens FROM wallets WHERE id='` + ghost + `'`: "5",
		}},
	{name: "an e-mail in capitals", table: "user", counts: "2 2 0 0", reason: "small letters", of: ghost,
		rows:   map[string][]string{"user": rowsOf("user", "'"+ghost+"','G','Grace@Example.com','true','https://x/y.png','2026-01-02T03:04:05Z',1795416104000")},
		values: map[string]string{`SELECT email||' '||verified||' '||image||' '||created||' '||updated FROM users WHERE id='` + ghost + `'`: "grace@example.com 1 https://x/y.png 2026-01-02 03:04:05.000Z 2026-11-23 06:41:44.000Z"}},
	{name: "no e-mail", table: "user", counts: "2 1 1 0", reason: "no e-mail", of: ghost, rows: map[string][]string{"user": rowsOf("user", "'"+ghost+"','G','',1,NULL,1,1")}},
	{name: "an id of another form", table: "user", counts: "2 1 1 0", reason: "other characters", of: "user-1", rows: map[string][]string{"user": rowsOf("user", "'user-1','G','g@x.y',1,NULL,1,1")}},
	{name: "no id", table: "user", counts: "2 1 1 0", reason: "other characters", of: "(no id)", rows: map[string][]string{"user": rowsOf("user", "NULL,'G','g@x.y',1,NULL,1,1")}},
	{name: "an id twice", table: "user", counts: "2 1 1 0", reason: "twice", of: ada, rows: map[string][]string{"user": rowsOf("user", "'"+ada+"','G','g@x.y',1,NULL,1,1")}},

	{name: "a password that is no hash", table: "account", counts: "1 0 1 0", reason: "no hash", of: "a1",
		rows:   map[string][]string{"account": rowsOf("account", accountRow("a1", ada, "credential", ada, "'secret'"))},
		values: map[string]string{`SELECT COUNT(*) FROM scrypt_passwords`: "0", `SELECT substr(password,1,4) FROM users`: "$2a$"}},
	{name: "no password", table: "account", counts: "1 0 1 0", reason: "no password", of: "a1", rows: map[string][]string{"account": rowsOf("account", accountRow("a1", ada, "credential", ada, "NULL"))}},
	{name: "two passwords", table: "account", counts: "2 1 1 0", reason: "another password", of: "a2",
		rows:   map[string][]string{"account": rowsOf("account", accountRow("a1", ada, "credential", ada, "'"+hash+"'"), accountRow("a2", ada, "credential", ada, "'"+hash+"'"))},
		values: map[string]string{`SELECT hash FROM scrypt_passwords WHERE user_id='` + ada + `'`: hash}},
	{name: "a password of ours", table: "account", counts: "1 1 0 0",
		rows:   map[string][]string{"account": rowsOf("account", accountRow("a1", ada, "credential", ada, "'"+bcrypt+"'"))},
		values: map[string]string{`SELECT password FROM users`: bcrypt, `SELECT COUNT(*) FROM scrypt_passwords`: "0"}},
	{name: "an account of nobody", table: "account", counts: "1 0 1 0", reason: "no user", of: "a1", rows: map[string][]string{"account": rowsOf("account", accountRow("a1", ghost, "credential", ghost, "'"+hash+"'"))}},
	{name: "a provider that we know", table: "account", counts: "1 1 0 0",
		rows:   map[string][]string{"account": rowsOf("account", accountRow("a1", "g-123", "google", ada, "NULL"))},
		values: map[string]string{`SELECT provider||' '||providerId||' '||recordRef||' '||collectionRef FROM _externalAuths`: "google g-123 " + ada + " _pb_users_auth_"}},
	{name: "a provider that we do not know", table: "account", counts: "1 0 1 0", reason: "(corp-sso)", of: "a1", rows: map[string][]string{"account": rowsOf("account", accountRow("a1", "x", "corp-sso", ada, "NULL"))}},
	{name: "an account of a provider twice", table: "account", counts: "2 1 1 0", reason: "linked already", of: "a2",
		rows: map[string][]string{"account": rowsOf("account", accountRow("a1", "g-123", "google", ada, "NULL"), accountRow("a2", "g-124", "google", ada, "NULL"))}},

	{name: "an expired session", table: "session", counts: "2 1 1 0", reason: "expired", of: "s1",
		rows:   map[string][]string{"session": rowsOf("session", sessionRow("s1", "t1", "1795416104", ada), sessionRow("s2", "t2", "1796020904", ada))},
		values: map[string]string{`SELECT id||' '||expires_at||' '||remember||' '||ip_address FROM sessions`: "s2 2026-11-30 06:41:44.000Z 1 203.0.113.7"}},
	{name: "a session that ends with the browser", table: "session", counts: "2 2 0 0", rows: map[string][]string{"session": rowsOf("session",
		"'s1',1795586401,'t1',1795400000,1795500000,NULL,NULL,'"+ada+"'", "'s2',1796104800,'t2',1795400000,1795500000,NULL,NULL,'"+ada+"'")},
		values: map[string]string{`SELECT group_concat(id||' '||remember, ', ') FROM (SELECT * FROM sessions ORDER BY id)`: "s1 0, s2 1"}},
	{name: "a session in milliseconds", table: "session", counts: "1 1 0 0", rows: map[string][]string{"session": rowsOf("session", sessionRow("s1", "t1", "1796020904000", ada))},
		values: map[string]string{`SELECT expires_at FROM sessions`: "2026-11-30 06:41:44.000Z"}},
	{name: "a session without a token", table: "session", counts: "1 0 1 0", reason: "no token", of: "s1", rows: map[string][]string{"session": rowsOf("session", sessionRow("s1", "", "1796020904", ada))}},
	{name: "a session without an end", table: "session", counts: "1 0 1 0", reason: "no time", of: "s1", rows: map[string][]string{"session": rowsOf("session", sessionRow("s1", "t1", "'soon'", ada))}},
	{name: "a token twice", table: "session", counts: "2 1 1 0", reason: "another session's", of: "s2", rows: map[string][]string{"session": rowsOf("session", sessionRow("s1", "t1", "1796020904", ada), sessionRow("s2", "t1", "1796020904", ada))}},
	{name: "a session of nobody", table: "session", counts: "1 0 1 0", reason: "no user", of: "s1", rows: map[string][]string{"session": rowsOf("session", sessionRow("s1", "t1", "1796020904", ghost))}},

	{name: "a profile", table: "app_user", counts: "1 1 0 0", rows: map[string][]string{"app_user": rowsOf("app_user", "7,'"+ada+"','Ada','Lovelace','free_plan',0,0,NULL,NULL")},
		values: map[string]string{`SELECT id||' '||first_name||' '||last_name FROM app_user`: "7 Ada Lovelace"}},
	{name: "no profile", table: "app_user", counts: "0 0 0 1", values: map[string]string{`SELECT first_name FROM app_user WHERE better_auth_user_id='` + ada + `'`: "Ada"}},
	{name: "two profiles", table: "app_user", counts: "2 1 1 0", reason: "another row", of: "8", rows: map[string][]string{"app_user": rowsOf("app_user", "7,'"+ada+"','Ada',NULL,NULL,0,0,NULL,NULL", "8,'"+ada+"','Eve',NULL,NULL,0,0,NULL,NULL")}},
	{name: "a profile of nobody", table: "app_user", counts: "1 0 1 1", reason: "no user", of: "7", rows: map[string][]string{"app_user": rowsOf("app_user", "7,'"+ghost+"','G',NULL,NULL,0,0,NULL,NULL")}},

	{name: "a plan as seeded", table: "plans", counts: "1 0 0 0", rows: map[string][]string{"plans": rowsOf("plans", "'pro_plan',50000000,5000,NULL,NULL")}},
	{name: "a plan with another price", table: "plans", counts: "1 0 1 0", reason: "another quota or price", of: "pro_plan", rows: map[string][]string{"plans": rowsOf("plans", "'pro_plan',50000000,1,NULL,NULL")},
		values: map[string]string{`SELECT price_cents FROM plans WHERE id='pro_plan'`: "5000"}},
	{name: "a plan of the operator's", table: "plans", counts: "1 1 0 0", reason: "operator's own", of: "school_plan", rows: map[string][]string{"plans": rowsOf("plans", "'school_plan',7,8,NULL,NULL")},
		values: map[string]string{`SELECT monthly_quota_tokens||' '||price_cents||' '||rate_limit_rpm FROM plans WHERE id='school_plan'`: "7 8 60"}},
	{name: "a plan without a name", table: "plans", counts: "1 0 1 0", reason: "other characters", of: "a b", rows: map[string][]string{"plans": rowsOf("plans", "'a b',7,8,NULL,NULL")}},

	{name: "an entitlement", table: "entitlements", counts: "1 1 0 0", rows: map[string][]string{"entitlements": rowsOf("entitlements", "'user','"+ada+"','pro_plan',9,'99','[\"basic\"]',NULL")},
		values: map[string]string{`SELECT id||' '||plan_id||' '||max_concurrent_sessions||' '||rate_limit_rpm||' '||features FROM entitlements`: ada + ` pro_plan 9 99 ["basic"]`}},
	{name: "no entitlement", table: "entitlements", counts: "0 0 0 1", values: map[string]string{`SELECT plan_id||' '||rate_limit_rpm FROM entitlements`: "free_plan 60"}},
	{name: "an unknown plan", table: "entitlements", counts: "1 1 0 0", reason: "plan is not known", of: "user/" + ada, rows: map[string][]string{"entitlements": rowsOf("entitlements", "'user','"+ada+"','gone_plan',9,99,NULL,NULL")},
		values: map[string]string{`SELECT plan_id||' '||rate_limit_rpm FROM entitlements`: "free_plan 99"}},
	{name: "broken features", table: "entitlements", counts: "1 1 0 0", reason: "kept as a text", of: "user/" + ada, rows: map[string][]string{"entitlements": rowsOf("entitlements", "'user','"+ada+"','pro_plan',NULL,NULL,'[basic',NULL")},
		values: map[string]string{`SELECT features FROM entitlements`: `"[basic"`}},
	{name: "an entitlement of nobody", table: "entitlements", counts: "1 0 1 1", reason: "no user", of: "user/" + ghost, rows: map[string][]string{"entitlements": rowsOf("entitlements", "'user','"+ghost+"','pro_plan',9,99,NULL,NULL")}},
	{name: "an entitlement of a team", table: "entitlements", counts: "1 0 1 1", reason: "subject_type", of: "team/t", rows: map[string][]string{"entitlements": rowsOf("entitlements", "'team','t','pro_plan',9,99,NULL,NULL")}},

	{name: "no wallet", table: "wallets", counts: "0 0 0 1", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "9", "mint"), entryRow("e2", "-2", "use"))},
		values: map[string]string{`SELECT balance_tokens||' '||seq FROM wallets WHERE id='` + ada + `'`: "7 2", `SELECT COUNT(*) FROM wallet_ledger WHERE event_type='adjust'`: "0"}},
	{name: "a balance that is too high", table: "wallet_ledger", counts: "1 1 0 1", rows: map[string][]string{
		"wallets": rowsOf("wallets", "'user','"+ada+"',12,0,NULL"), "wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "9", "mint"))},
		values: map[string]string{`SELECT amount_tokens||' '||balance_after||' '||description FROM wallet_ledger WHERE event_type='adjust'`: "3 12 Import from Cloudflare D1: the stored balance was 12 tokens, and the ledger added up to 9."}},
	{name: "a balance that is too low", table: "wallets", counts: "1 1 0 0", reason: "not the sum", of: ada + ": stored -12, ledger 9", rows: map[string][]string{
		"wallets": rowsOf("wallets", "'user','"+ada+"',-12,0,NULL"), "wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "9", "mint"))},
		values: map[string]string{`SELECT amount_tokens||' '||balance_after FROM wallet_ledger WHERE event_type='adjust'`: "-21 -12"}},
	{name: "a balance beyond one entry", table: "wallet_ledger", counts: "0 0 0 3", rows: map[string][]string{"wallets": rowsOf("wallets", "'user','"+ada+"',2500000000000000,0,NULL")},
		values: map[string]string{`SELECT balance_tokens FROM wallets WHERE id='` + ada + `'`: "2500000000000000"}},
	{name: "a balance beyond the bound", table: "wallets", counts: "1 1 0 0", reason: "the sum of the ledger counts", of: "user/" + ada, rows: map[string][]string{"wallets": rowsOf("wallets", "'user','"+ada+"',9000000000000001,0,NULL")},
		values: map[string]string{`SELECT balance_tokens FROM wallets`: "0"}},
	{name: "a fraction of a token", table: "wallets", counts: "1 1 0 0", reason: "rounded down", of: "user/" + ada, rows: map[string][]string{"wallets": rowsOf("wallets", "'user','"+ada+"',-1.5,0,NULL")},
		values: map[string]string{`SELECT balance_tokens FROM wallets`: "-2"}},
	{name: "a balance as a text", table: "wallets", counts: "1 1 0 0", reason: "is a text", of: "user/" + ada, rows: map[string][]string{"wallets": rowsOf("wallets", "'user','"+ada+"','42','false',NULL")},
		values: map[string]string{`SELECT balance_tokens||' '||frozen FROM wallets`: "42 0"}},
	{name: "a balance that is none", table: "wallets", counts: "1 1 0 0", reason: "the sum of the ledger counts", of: "user/" + ada, rows: map[string][]string{"wallets": rowsOf("wallets", "'user','"+ada+"','much',0,NULL")}},
	{name: "a frozen wallet", table: "wallets", counts: "1 1 0 0", rows: map[string][]string{"wallets": rowsOf("wallets", "'user','"+ada+"',-5,1,'2026-10-01T00:00:00.000Z'"), "wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "-5", "use"))},
		values: map[string]string{
			`SELECT balance_tokens||' '||frozen||' '||frozen_reason||' '||updated_at FROM wallets`: "-5 1 imported 2026-10-01 00:00:00.000Z",
			`SELECT actor||' '||action||' '||reason FROM audit_log`:                                "import wallet.freeze imported"}},
	{name: "a wallet of nobody", table: "wallets", counts: "1 1 0 1", reason: "without an owner", of: ghost, rows: map[string][]string{
		"wallets": rowsOf("wallets", "'user','"+ghost+"',5,0,NULL"), "wallet_ledger": rowsOf("wallet_ledger", "'e1','user','"+ghost+"',5,'mint',NULL,NULL,NULL,NULL,NULL,NULL,NULL")},
		values: map[string]string{`SELECT balance_tokens FROM wallets WHERE id='` + ghost + `'`: "5", `SELECT COUNT(*) FROM entitlements WHERE id='` + ghost + `'`: "0"}},
	{name: "a wallet of a team", table: "wallets", counts: "1 0 1 1", reason: "subject_type", of: "team/t", rows: map[string][]string{"wallets": rowsOf("wallets", "'team','t',5,0,NULL")}},
	{name: "a wallet twice", table: "wallets", counts: "2 1 1 0", reason: "another row", of: "user/" + ada, rows: map[string][]string{"wallets": rowsOf("wallets", "'user','"+ada+"',5,0,NULL", "'user','"+ada+"',6,0,NULL")},
		values: map[string]string{`SELECT balance_tokens FROM wallets`: "5"}},
	{name: "an organisation", table: "wallets", counts: "1 1 0 1", reason: "an organisation was made", of: "org_acme", rows: map[string][]string{
		"wallets": rowsOf("wallets", "'organization','org_acme',777,0,NULL"), "entitlements": rowsOf("entitlements", "'organization','org_acme','business_plan',10,600,NULL,NULL")},
		values: map[string]string{`SELECT name FROM organizations WHERE id='org_acme'`: "org_acme", `SELECT balance_tokens||' '||subject_type FROM wallets WHERE id='org_acme'`: "777 organization",
			`SELECT plan_id FROM entitlements WHERE id='org_acme'`: "business_plan"}},
	{name: "an organisation with a user's id", table: "wallets", counts: "1 0 1 1", reason: "another kind of subject", of: "organization/" + ada, rows: map[string][]string{
		"wallets": rowsOf("wallets", "'organization','"+ada+"',777,0,NULL"), "wallet_ledger": rowsOf("wallet_ledger", "'e1','organization','"+ada+"',5,'mint',NULL,NULL,NULL,NULL,NULL,NULL,NULL")},
		values: map[string]string{`SELECT balance_tokens||' '||subject_type FROM wallets WHERE id='` + ada + `'`: "0 user", `SELECT COUNT(*) FROM wallet_ledger`: "0"}},

	{name: "an amount as a text", table: "wallet_ledger", counts: "1 1 0 0", reason: "is a text", of: "e1", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "' 42 '", "mint"))},
		values: map[string]string{`SELECT amount_tokens FROM wallet_ledger`: "42"}},
	{name: "a fraction", table: "wallet_ledger", counts: "1 1 0 0", reason: "rounded down", of: "e1", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "-1.2", "use"))},
		values: map[string]string{`SELECT amount_tokens FROM wallet_ledger`: "-2"}},
	{name: "an amount that is none", table: "wallet_ledger", counts: "2 0 2 0", reason: "no number", of: "e2", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "NULL", "mint"), entryRow("e2", "'x'", "mint"))}},
	{name: "too much", table: "wallet_ledger", counts: "2 1 1 0", reason: "beyond 10^15", of: "e1", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "1000000000000001", "mint"), entryRow("e2", "1000000000000000", "mint"))}},
	{name: "an unheard-of event", table: "wallet_ledger", counts: "1 1 0 0", reason: "became an adjust", of: "e1", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "5", "bonus"))},
		values: map[string]string{`SELECT event_type||' '||metadata FROM wallet_ledger`: `adjust {"importedEventType":"bonus","importedMetadata":null}`}},
	{name: "signs of the original", table: "wallet_ledger", counts: "3 3 0 0", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "-5", "mint"), entryRow("e2", "7", "use"), entryRow("e3", "-9", "refund"))},
		values: map[string]string{`SELECT balance_tokens FROM wallets`: "-7", `SELECT uses||' '||tokens FROM usage_daily`: "1 -7"}},
	{name: "broken metadata", table: "wallet_ledger", counts: "1 1 0 0", reason: "not JSON", of: "e1", rows: map[string][]string{
		"wallet_ledger": rowsOf("wallet_ledger", "'e1','user','"+ada+"',1,'mint',NULL,NULL,NULL,NULL,NULL,'{\"a\":','2026-10-01T00:00:00.000Z'")},
		values: map[string]string{`SELECT metadata FROM wallet_ledger`: `"{\"a\":"`}},
	{name: "no time", table: "wallet_ledger", counts: "2 2 0 0", reason: "is no time", of: "e1", rows: map[string][]string{
		"wallet_ledger": rowsOf("wallet_ledger", "'e1','user','"+ada+"',1,'mint',NULL,NULL,NULL,NULL,NULL,NULL,'yesterday'", entryRow("e2", "2", "mint"))},
		values: map[string]string{`SELECT created_at||' '||seq FROM wallet_ledger WHERE id='e1'`: "2026-11-24 12:00:00.000Z 2"}},
	{name: "no id of an entry", table: "wallet_ledger", counts: "1 0 1 0", reason: "no id", of: "(no id)", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", "NULL,'user','"+ada+"',1,'mint',NULL,NULL,NULL,NULL,NULL,NULL,NULL")}},
	{name: "an id of two entries", table: "wallet_ledger", counts: "2 1 1 0", reason: "twice", of: "e1", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "1", "mint"), entryRow("e1", "2", "mint"))}},
	{name: "an event of two entries", table: "wallet_ledger", counts: "2 1 1 1", reason: "and not its money", of: "e2", rows: map[string][]string{
		"wallets":       rowsOf("wallets", "'user','"+ada+"',2,0,NULL"),
		"wallet_ledger": rowsOf("wallet_ledger", "'e1','user','"+ada+"',1,'mint',NULL,NULL,NULL,'evt',NULL,NULL,'2026-10-01T00:00:00.000Z'", "'e2','user','"+ada+"',1,'mint',NULL,NULL,NULL,'evt',NULL,NULL,'2026-10-01T00:00:00.000Z'")},
		values: map[string]string{`SELECT COUNT(*) FROM wallet_ledger`: "2", `SELECT balance_tokens FROM wallets`: "2"}},
	{name: "entries out of order", table: "wallet_ledger", counts: "3 3 0 0", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger",
		"'e1','user','"+ada+"',1,'mint',NULL,NULL,NULL,NULL,NULL,NULL,'2026-10-03 00:00:00'", "'e2','user','"+ada+"',2,'mint',NULL,NULL,NULL,NULL,NULL,NULL,1790899200", "'e3','user','"+ada+"',4,'mint',NULL,NULL,NULL,NULL,NULL,NULL,'2026-10-03T00:00:00.000Z'")},
		values: map[string]string{`SELECT group_concat(id,' ') FROM (SELECT id FROM wallet_ledger ORDER BY seq)`: "e2 e1 e3"}},
	{name: "an entry of a team", table: "wallet_ledger", counts: "1 0 1 0", reason: "subject_type", of: "e1", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", "'e1','team','t',1,'mint',NULL,NULL,NULL,NULL,NULL,NULL,NULL")}},

	{name: "a use and its usage", table: "usage_logs", counts: "1 1 0 0", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "-3", "use")), "usage_logs": rowsOf("usage_logs", usageRow("u1", ada, "'e1'"))},
		values: map[string]string{`SELECT id||' '||ledger_id||' '||charged_tokens||' '||input_ratio||' '||adjusted_total_tokens FROM usage_logs`: "u1 e1 3 0.1 3",
			`SELECT uses||' '||tokens||' '||input_tokens||' '||output_tokens FROM usage_daily`: "1 3 10 20"}},
	{name: "two usage rows of a use", table: "usage_logs", counts: "2 2 0 0", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "-3", "use")), "usage_logs": rowsOf("usage_logs", usageRow("u1", ada, "'e1'"), usageRow("u2", ada, "'e1'"))},
		values: map[string]string{`SELECT SUM(charged_tokens) FROM usage_logs`: "3", `SELECT uses||' '||tokens||' '||input_tokens FROM usage_daily`: "1 3 20"}},
	{name: "a use without usage", table: "wallet_ledger", counts: "1 1 0 0", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "-3", "use"))},
		values: map[string]string{`SELECT uses||' '||tokens FROM usage_daily`: "1 3", `SELECT COUNT(*) FROM usage_logs`: "0"}},
	{name: "usage without an entry", table: "usage_logs", counts: "1 1 0 0", rows: map[string][]string{"usage_logs": rowsOf("usage_logs", usageRow("u1", ada, "NULL"))},
		values: map[string]string{`SELECT ledger_id||' '||charged_tokens FROM usage_logs`: " 0", `SELECT COUNT(*) FROM usage_daily`: "0"}},
	{name: "usage of an entry that is gone", table: "usage_logs", counts: "1 1 0 0", reason: "kept without one", of: "u1", rows: map[string][]string{"usage_logs": rowsOf("usage_logs", usageRow("u1", ada, "'gone'"))}},
	{name: "usage of another's entry", table: "usage_logs", counts: "1 1 0 0", reason: "kept without one", of: "u1", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "-3", "use")), "usage_logs": rowsOf("usage_logs", usageRow("u1", ghost, "'e1'"))},
		values: map[string]string{`SELECT ledger_id||subject_id FROM usage_logs`: ghost}},
	{name: "usage of a skipped entry", table: "usage_logs", counts: "1 0 1 0", reason: "was skipped", of: "u1", rows: map[string][]string{"wallet_ledger": rowsOf("wallet_ledger", entryRow("e1", "'x'", "use")), "usage_logs": rowsOf("usage_logs", usageRow("u1", ada, "'e1'"))}},
	{name: "usage of a team", table: "usage_logs", counts: "1 0 1 0", reason: "subject_type", of: "u1", rows: map[string][]string{"usage_logs": rowsOf("usage_logs", strings.Replace(usageRow("u1", ada, "NULL"), "'user'", "'team'", 1))}},
	{name: "strange numbers of usage", table: "usage_logs", counts: "1 1 0 0", reason: "0 was taken", of: "u1", rows: map[string][]string{"usage_logs": rowsOf("usage_logs", strings.Replace(usageRow("u1", ada, "NULL"), ",10,20,", ",-10,'20',", 1))},
		values: map[string]string{`SELECT input_tokens||' '||output_tokens FROM usage_logs`: "0 20"}},
	{name: "a total that is no sum", table: "usage_logs", counts: "1 1 0 0", reason: "not the sum", of: "u1", rows: map[string][]string{"usage_logs": rowsOf("usage_logs", strings.Replace(usageRow("u1", ada, "NULL"), ",1,2,3,", ",1,2,4,", 1))}},

	{name: "webhooks", table: "webhook_logs", counts: "2 2 0 0", reason: "not JSON", of: "2", rows: map[string][]string{"webhook_logs": rowsOf("webhook_logs",
		"1,'evt_1','payment.succeeded','"+ada+"','{}','{\"a\":1}',1795416111,'success',NULL,2,'sig','203.0.113.7',1795416111,1795416111", "2,'evt_2','payment.refunded',NULL,'not json','broken',NULL,'failed','Unexpected token',3,NULL,NULL,NULL,NULL")},
		values: map[string]string{`SELECT event_id||' '||raw_payload||' '||headers||' '||processed_at||' '||retry_count||' '||created_at FROM webhook_logs WHERE id='1'`: `evt_1 {} {"a":1} 2026-11-23 06:41:51.000Z 2 2026-11-23 06:41:51.000Z`,
			`SELECT raw_payload||headers||processed_at FROM webhook_logs WHERE id='2'`: `not json"broken"`}},
	{name: "a webhook without an id", table: "webhook_logs", counts: "1 0 1 0", reason: "no id", of: "(no id)", rows: map[string][]string{"webhook_logs": rowsOf("webhook_logs", "NULL,'e','t',NULL,'',NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL")}},
	{name: "a processed event", table: "processed_events", counts: "2 1 1 0", reason: "no id", rows: map[string][]string{"processed_events": rowsOf("processed_events", "'evt_1','2026-11-23T06:41:51.481Z'", "'',NULL")},
		values: map[string]string{`SELECT event_id||' '||created_at FROM processed_events`: "evt_1 2026-11-23 06:41:51.481Z"}},
	{name: "a mail's code", table: "verification", counts: "1 0 1 0", reason: "minutes", of: "v1", rows: map[string][]string{"verification": rowsOf("verification", "'v1','ada@example.com','123456',1,1,1")}},
	{name: "a row of another width", table: "plans", counts: "1 0 1 0", reason: "2 values", rows: map[string][]string{"plans": rowsOf("plans", "'pro_plan',1")}},
}

func TestStrangeRows(t *testing.T) {
	for _, test := range strangeRows {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			dump := strangeDump(test.rows)
			report := h.importText(dump)
			got := report.Table(test.table)
			if counts := fmt.Sprint(got.Read, got.Imported, got.Skipped, got.Made); counts != test.counts {
				t.Errorf("%s: read, imported, skipped, made: %s, want %s", test.table, counts, test.counts)
			}
			if test.reason != "" && !names(got, test.reason, test.of) {
				t.Errorf("no reason %q with %q in\n%+v\n%+v", test.reason, test.of, got.Why, got.Notes)
			}
			for query, want := range test.values {
				h.want(want, query)
			}
			// Strange or not, a second run imports nothing and changes nothing.
			again := h.importText(dump)
			if again.Imported() != 0 {
				t.Errorf("a second run imported %d rows", again.Imported())
			}
			for _, table := range again.Tables {
				if table.Made != 0 {
					t.Errorf("a second run made %d rows of %s", table.Made, table.Table)
				}
			}
			for query, want := range test.values {
				h.want(want, query)
			}
		})
	}
}

// strangeDump is a dump with Ada in it and no plans or others but those given.
func strangeDump(rows map[string][]string) string {
	var out strings.Builder
	for _, line := range schemaLines() {
		out.WriteString(line + "\n")
	}
	out.WriteString(adaRow + "\n")
	for _, table := range []string{"plans", "user", "account", "session", "app_user", "entitlements", "usage_logs", "wallet_ledger", "wallets", "webhook_logs", "processed_events", "verification"} {
		for _, line := range rows[table] {
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}

// schemaLines are what a dump has beside its rows.
func schemaLines() []string {
	var out strings.Builder
	if _, err := dumpgen.Write(&out, dumpgen.Options{Seed: 1, Users: 1, Now: now, Until: now}); err != nil {
		panic(err)
	}
	return slices.DeleteFunc(strings.Split(out.String(), "\n"), func(line string) bool { return strings.HasPrefix(line, "INSERT") })
}

func names(t *d1import.TableReport, text, id string) bool {
	for _, reason := range slices.Concat(t.Why, t.Notes) {
		if strings.Contains(reason.Text, text) && (id == "" || slices.Contains(reason.Examples, id)) {
			return true
		}
	}
	return false
}

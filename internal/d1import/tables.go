package d1import

import "slices"

// table is one that the original backend has.
type table struct {
	name    string
	columns []string // in the original's order, lower case
	keys    []string // columns that rows are found by, which are kept as text
	rowID   string   // the column that names a row; empty: its subject does
	// isSkipped tells why its rows are not imported; empty for the others.
	isSkipped string
	places    map[string]int // of the columns
}

func init() {
	for i := range tables {
		t := &tables[i]
		t.places = make(map[string]int, len(t.columns))
		for place, column := range t.columns {
			t.places[column] = place
		}
	}
}

// The tables of the original, as its newest schema has them. Names of columns are
// compared without their case.
var tables = []table{
	{name: "plans", rowID: "plan_id", columns: []string{"plan_id", "monthly_quota_tokens", "price_cents", "created_at", "updated_at"}, keys: []string{"plan_id"}},
	{name: "user", rowID: "id", columns: []string{"id", "name", "email", "emailverified", "image", "createdat", "updatedat"}, keys: []string{"id", "email"}},
	{name: "account", rowID: "id", columns: []string{"id", "accountid", "providerid", "userid", "accesstoken", "refreshtoken", "idtoken",
		"accesstokenexpiresat", "refreshtokenexpiresat", "scope", "password", "createdat", "updatedat"},
		keys: []string{"id", "accountid", "providerid", "userid"}},
	{name: "session", rowID: "id", columns: []string{"id", "expiresat", "token", "createdat", "updatedat", "ipaddress", "useragent", "userid"},
		keys: []string{"id", "token", "userid"}},
	{name: "app_user", rowID: "id", columns: []string{"id", "better_auth_user_id", "first_name", "last_name", "subscription", "token_quota",
		"tokens_used", "created_at", "updated_at"}, keys: []string{"id", "better_auth_user_id"}},
	{name: "wallets", columns: []string{"subject_type", "subject_id", "balance_tokens", "frozen", "updated_at"},
		keys: []string{"subject_type", "subject_id"}},
	{name: "wallet_ledger", rowID: "id", columns: []string{"id", "subject_type", "subject_id", "amount_tokens", "event_type", "reference_type",
		"reference_id", "plan_id", "external_event_id", "description", "metadata", "created_at"},
		keys: []string{"id", "subject_type", "subject_id", "external_event_id"}},
	{name: "entitlements", columns: []string{"subject_type", "subject_id", "plan_id", "max_concurrent_sessions", "rate_limit_rpm",
		"features", "updated_at"}, keys: []string{"subject_type", "subject_id", "plan_id"}},
	{name: "usage_logs", rowID: "id", columns: []string{"id", "subject_type", "subject_id", "provider", "model", "endpoint", "method",
		"input_tokens", "output_tokens", "total_tokens", "adjusted_input_tokens", "adjusted_output_tokens",
		"adjusted_total_tokens", "input_ratio", "output_ratio", "modality", "session_id", "request_id", "response_id",
		"event_type", "ledger_id", "metadata", "created_at"}, keys: []string{"id", "subject_type", "subject_id", "ledger_id"}},
	{name: "webhook_logs", rowID: "id", columns: []string{"id", "event_id", "event_type", "user_id", "raw_payload", "headers", "processed_at",
		"processing_status", "error_message", "retry_count", "webhook_signature", "ip_address", "createdat", "updatedat"},
		keys: []string{"id", "event_id"}},
	{name: "processed_events", rowID: "event_id", columns: []string{"event_id", "created_at"}, keys: []string{"event_id"}},
	{name: "verification", rowID: "id", columns: []string{"id", "identifier", "value", "expiresat", "createdat", "updatedat"}, keys: []string{"id"},
		isSkipped: "codes and links by mail live for minutes: whoever waits for one asks again"},
}

// ignoredTables hold nothing that anybody wrote.
var ignoredTables = []string{"sqlite_sequence", "sqlite_stat1", "sqlite_stat4"}

func tableNamed(name string) *table {
	index := slices.IndexFunc(tables, func(t table) bool { return t.name == name })
	if index < 0 {
		return nil
	}
	return &tables[index]
}

func (t *table) staged() string { return "d1_" + t.name }

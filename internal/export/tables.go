package export

// kind is how a column's values look outside.
type kind int

const (
	words   kind = iota // text, null when empty
	name                // text that is never null
	count               // a whole number
	ratio               // a number
	flag                // true or false; 1 or 0 in SQL
	instant             // 2026-11-23T06:41:44.392Z, null when empty
	seconds             // the same as seconds since 1970
	object              // JSON; its text in SQL
)

// sqlTypes are declared for the columns of each kind, as the original's are.
var sqlTypes = map[kind]string{
	words: "text", name: "text NOT NULL", count: "integer", ratio: "real", flag: "integer", instant: "text", seconds: "integer", object: "text",
}

// column is one that leaves the house.
type column struct {
	name   string // outside
	source string // an expression of SQL; empty: the column of the same name
	kind   kind
	// isSecret: only the whole has it, and not the user's own part.
	isSecret bool
}

func (c column) expression() string {
	if c.source == "" {
		return "[" + c.name + "]"
	}
	return c.source
}

// table is one table outside, and where its rows come from.
type table struct {
	name    string
	from    string // what follows FROM in the query
	order   string // keeps rows in the order of their making
	key     string // what follows PRIMARY KEY; empty for none
	columns []column

	// For a user's own part: what it is called there, empty for tables that are not
	// in it; which rows are the user's, as conditions with one ? for the id; in which
	// order an index yields them; and whether there is one row at most.
	member   string
	owned    string
	ownOrder string
	isSingle bool
}

func columnsOf(kind kind, names ...string) []column {
	columns := make([]column, len(names))
	for i, name := range names {
		columns[i] = column{name: name, kind: kind}
	}
	return columns
}

func join(parts ...[]column) (columns []column) {
	for _, part := range parts {
		columns = append(columns, part...)
	}
	return columns
}

var (
	ofSubject = columnsOf(name, "subject_type", "subject_id")
	ids       = columnsOf(name, "id")
)

const ownSubject = `subject_id = ? AND subject_type = 'user'`

// usageTable is filled from the archives, too.
const usageTable = "usage_logs"

// tables are all that leave the house, parents first. The first ones are the
// original's, with its columns in its order and ours behind them.
var tables = []table{
	{
		name: "plans", from: "plans", order: "rowid", key: "(`plan_id`)",
		columns: join([]column{{name: "plan_id", source: "id", kind: name}},
			columnsOf(count, "monthly_quota_tokens", "price_cents"), columnsOf(instant, "created_at", "updated_at"),
			columnsOf(object, "features"), columnsOf(count, "rate_limit_rpm", "max_concurrent_sessions", "margin_ppm", "rate_limit_tpm"),
			columnsOf(object, "allowed_models")),
	},
	{
		// Operators may take the field for an avatar away: the name then means the NULL.
		name: "user", from: "users CROSS JOIN (SELECT NULL AS avatar)", order: "users.rowid", key: "(`id`)",
		columns: []column{
			{name: "id", kind: name}, {name: "name", kind: name}, {name: "email", kind: name},
			{name: "emailVerified", source: "verified", kind: flag}, {name: "image", kind: words},
			{name: "createdAt", source: "created", kind: seconds}, {name: "updatedAt", source: "updated", kind: seconds},
			{name: "avatar", source: "(SELECT avatar FROM users u WHERE u.id = users.id)"},
		},
		member: "user", owned: "id = ?", isSingle: true,
	},
	{
		name: "account", key: "(`id`)",
		// A hash of Better Auth's lies beside the user; the user's own is then of a
		// password that nobody knows.
		from: `(SELECT 'credential-' || u.id AS id, u.id AS accountId, 'credential' AS providerId, u.id AS userId,
				coalesce(s.hash, u.password) AS password, iif(s.hash IS NULL, 'bcrypt', 'scrypt') AS passwordFormat,
				u.created AS createdAt, u.updated AS updatedAt
			FROM users u LEFT JOIN scrypt_passwords s ON s.user_id = u.id WHERE u.password != ''
			UNION ALL
			SELECT x.id, x.providerId, x.provider, x.recordRef, NULL, NULL, x.created, x.updated
			FROM _externalAuths x WHERE x.collectionRef = (SELECT id FROM _collections WHERE name = 'users'))`,
		columns: []column{
			{name: "id", kind: name}, {name: "accountId", kind: name}, {name: "providerId", kind: name}, {name: "userId", kind: name},
			{name: "accessToken", source: "NULL"}, {name: "refreshToken", source: "NULL"}, {name: "idToken", source: "NULL"},
			{name: "accessTokenExpiresAt", source: "NULL", kind: seconds}, {name: "refreshTokenExpiresAt", source: "NULL", kind: seconds},
			{name: "scope", source: "NULL"}, {name: "password", isSecret: true},
			{name: "createdAt", kind: seconds}, {name: "updatedAt", kind: seconds}, {name: "passwordFormat", isSecret: true},
		},
		member: "accounts", owned: "userId = ?",
	},
	{
		name: "app_user", from: "app_user a LEFT JOIN entitlements e ON e.subject_id = a.better_auth_user_id AND e.subject_type = 'user'" +
			" LEFT JOIN plans p ON p.id = e.plan_id", order: "a.rowid", key: "(`id`)",
		columns: []column{
			{name: "id", source: "a.id", kind: name}, {name: "better_auth_user_id", kind: name}, {name: "first_name"}, {name: "last_name"},
			{name: "subscription", source: "e.plan_id"}, {name: "token_quota", source: "p.monthly_quota_tokens", kind: count},
			{name: "tokens_used", source: "NULL", kind: count}, // no such sum is kept
			{name: "created_at", source: "a.created_at", kind: instant}, {name: "updated_at", source: "a.updated_at", kind: instant},
		},
		member: "appUser", owned: "a.better_auth_user_id = ?", isSingle: true,
	},
	{
		name: "wallets", from: "wallets", order: "rowid", key: "(`subject_type`, `subject_id`)",
		columns: join(ofSubject, columnsOf(count, "balance_tokens"), columnsOf(flag, "frozen"), columnsOf(instant, "updated_at"),
			columnsOf(count, "held_tokens", "expiring_tokens"), columnsOf(words, "frozen_reason"),
			columnsOf(count, "seq"), columnsOf(words, "head_hash"), columnsOf(instant, "created_at")),
		member: "wallet", owned: ownSubject, isSingle: true,
	},
	{
		name: "wallet_ledger", from: "wallet_ledger", order: "rowid", key: "(`id`)",
		columns: join(ids, ofSubject, columnsOf(count, "amount_tokens"), columnsOf(name, "event_type"),
			columnsOf(words, "reference_type", "reference_id", "plan_id", "external_event_id", "description"),
			columnsOf(object, "metadata"), columnsOf(instant, "created_at"),
			columnsOf(count, "seq", "balance_after"), columnsOf(words, "idempotency_key", "request_hash", "prev_hash", "hash")),
		member: "ledger", owned: ownSubject, ownOrder: "seq",
	},
	{
		name: "entitlements", from: "entitlements", order: "rowid", key: "(`subject_type`, `subject_id`)",
		columns: join(ofSubject, columnsOf(words, "plan_id"), columnsOf(count, "max_concurrent_sessions", "rate_limit_rpm"),
			columnsOf(object, "features"), columnsOf(instant, "updated_at"),
			columnsOf(count, "rate_limit_tpm"), columnsOf(object, "allowed_models")),
		member: "entitlement", owned: ownSubject, isSingle: true,
	},
	{
		name: usageTable, from: usageTable, order: "rowid", key: "(`id`)",
		columns: join(ids, ofSubject, columnsOf(name, "provider", "model"), columnsOf(words, "endpoint", "method"),
			columnsOf(count, "input_tokens", "output_tokens", "total_tokens",
				"adjusted_input_tokens", "adjusted_output_tokens", "adjusted_total_tokens"),
			columnsOf(ratio, "input_ratio", "output_ratio"),
			columnsOf(words, "modality", "session_id", "request_id", "response_id", "event_type", "ledger_id"),
			columnsOf(object, "metadata"), columnsOf(instant, "created_at"),
			columnsOf(count, "duration_ms", "charged_tokens"), columnsOf(words, "price_id"), columnsOf(object, "rates"),
			columnsOf(words, "api_key"), columnsOf(object, "counts"), columnsOf(count, "first_byte_ms", "duration_call_ms", "status"),
			columnsOf(words, "settled_by")),
		member: "usage", owned: ownSubject, ownOrder: "created_at",
	},
	{
		// Headers and signatures are between the payment provider and the operator, and
		// may hold what proves the one to the other.
		name: "webhook_logs", from: "webhook_logs", order: "rowid", key: "(`id`)",
		columns: join(columnsOf(name, "id", "event_id", "event_type"), columnsOf(words, "user_id"), columnsOf(name, "raw_payload"),
			[]column{{name: "headers", kind: object, isSecret: true}}, columnsOf(seconds, "processed_at"), columnsOf(words, "processing_status", "error_message"),
			columnsOf(count, "retry_count"), []column{{name: "webhook_signature", isSecret: true}}, columnsOf(words, "ip_address"),
			[]column{{name: "createdAt", source: "created_at", kind: seconds}, {name: "updatedAt", source: "updated_at", kind: seconds}}),
		member: "webhooks", owned: "user_id = ?",
	},
	{
		name: "processed_events", from: "processed_events", order: "event_id", key: "(`event_id`)",
		columns: join(columnsOf(name, "event_id"), columnsOf(instant, "created_at")),
	},

	// Ours. A session has no token here: the clients hold them.
	{
		name: "sessions", from: "sessions", order: "rowid", key: "(`id`)",
		columns: join(columnsOf(name, "id", "user", "kind"), columnsOf(words, "ip_address", "user_agent"), columnsOf(flag, "remember"),
			columnsOf(instant, "created_at", "updated_at", "last_used_at", "expires_at")),
		member: "sessions", owned: "user = ?",
	},
	{
		name: "api_keys", from: "api_keys", order: "rowid", key: "(`id`)",
		columns: join(columnsOf(name, "id", "user", "name", "prefix"), columnsOf(object, "scopes"), columnsOf(flag, "is_default", "disabled", "disabled_by_owner"),
			columnsOf(count, "version"), columnsOf(instant, "created_at", "updated_at", "last_used_at", "expires_at"),
			columnsOf(count, "spend_limit_tokens", "daily_budget_tokens", "monthly_budget_tokens", "rate_limit_rpm", "rate_limit_tpm"),
			columnsOf(object, "allowed_models", "allowed_ips"), columnsOf(instant, "old_key_expires_at")),
		member: "apiKeys", owned: "user = ?",
	},
	{
		name: "api_key_spending", from: "api_key_spending", order: "key_id", key: "(`key_id`)",
		columns: join(columnsOf(name, "key_id"), columnsOf(count, "tokens", "held_tokens"), columnsOf(name, "day"),
			columnsOf(count, "day_tokens"), columnsOf(name, "month"), columnsOf(count, "month_tokens")),
		member: "apiKeySpending", owned: "key_id IN (SELECT id FROM api_keys WHERE user = ?)",
	},
	{
		name: "organizations", from: "organizations", order: "rowid", key: "(`id`)",
		columns: join(columnsOf(name, "id", "name"), columnsOf(instant, "created_at", "updated_at")),
	},
	{
		name: "memberships", from: "memberships", order: "rowid", key: "(`id`)",
		columns: join(columnsOf(name, "id", "organization", "user", "role"), columnsOf(instant, "created_at", "updated_at")),
		member:  "memberships", owned: "user = ?",
	},
	{
		name: "wallet_holds", from: "wallet_holds", order: "rowid", key: "(`id`)",
		columns: join(ids, ofSubject, columnsOf(count, "amount_tokens"), columnsOf(name, "state"), columnsOf(words, "reference", "ledger_id"),
			columnsOf(instant, "created_at", "expires_at", "closed_at"), columnsOf(words, "api_key")),
		member: "holds", owned: ownSubject, ownOrder: "id",
	},
	{
		name: "wallet_grants", from: "wallet_grants", order: "rowid", key: "(`id`)",
		columns: join(ids, ofSubject, columnsOf(count, "amount_tokens", "remaining_tokens", "expired_tokens"), columnsOf(name, "state"),
			columnsOf(instant, "created_at", "expires_at")),
		member: "grants", owned: ownSubject, ownOrder: "expires_at",
	},
	{
		name: "wallet_grant_moves", from: "wallet_grant_moves", order: "ledger_id, grant_id", key: "(`ledger_id`, `grant_id`)",
		columns: join(columnsOf(name, "ledger_id", "grant_id"), columnsOf(count, "tokens")),
	},
	{
		name: "wallet_requests", from: "wallet_requests", order: "subject_id, kind, idempotency_key", key: "(`subject_id`, `kind`, `idempotency_key`)",
		columns: join(ofSubject, columnsOf(name, "kind", "idempotency_key", "fingerprint"), columnsOf(words, "entry_id"),
			columnsOf(count, "balance", "held"), columnsOf(flag, "frozen"), columnsOf(count, "refundable"), columnsOf(instant, "created_at")),
	},
	{
		name: "usage_daily", from: "usage_daily", order: "rowid", key: "(`id`)",
		columns: join(ids, ofSubject, columnsOf(name, "day"), columnsOf(count, "uses", "input_tokens", "output_tokens", "tokens")),
		member:  "usageDaily", owned: ownSubject, ownOrder: "day",
	},
	{
		name: "prices", from: "prices", order: "rowid", key: "(`id`)",
		columns: join(columnsOf(name, "id", "provider", "model"), columnsOf(instant, "effective_from"),
			columnsOf(count, "in_text", "in_cached_text", "in_audio", "in_cached_audio", "in_image", "in_cached_image",
				"in_cache_write_5m", "in_cache_write_1h", "out_text", "out_audio", "milliseconds", "requests", "margin_ppm"),
			columnsOf(words, "source"), columnsOf(instant, "created_at"), columnsOf(name, "match", "feature")),
	},
	{
		// Without keys: they are encrypted for this server.
		name: "providers", from: "providers", order: "rowid", key: "(`id`)",
		columns: join(columnsOf(name, "id", "name", "kind"), columnsOf(flag, "enabled"),
			columnsOf(words, "base_url", "key_env", "price_provider", "azure_api_version"), columnsOf(object, "models", "model_map"),
			columnsOf(count, "priority", "weight", "first_byte_timeout_seconds", "idle_timeout_seconds", "total_timeout_seconds"),
			columnsOf(instant, "created_at", "updated_at")),
	},
	{
		name: "audit_log", from: "audit_log", order: "rowid", key: "(`id`)",
		columns: join(ids, ofSubject, []column{{name: "actor", kind: name, isSecret: true}}, columnsOf(name, "action"), columnsOf(words, "reason"),
			columnsOf(object, "details"), columnsOf(instant, "created_at")),
		member: "auditLog", owned: ownSubject, ownOrder: "created_at",
	},
}

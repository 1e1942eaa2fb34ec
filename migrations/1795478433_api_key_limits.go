package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
)

// What a named key may do, and what each key has spent. The sums are the ledger's:
// they are no columns of api_keys, because PocketBase writes all of a record's
// columns at each save.
func init() {
	m.Register(func(app core.App) error {
		keys, err := app.FindCollectionByNameOrId("api_keys")
		if err != nil {
			return err
		}
		keys.Fields.Add(
			limit("spend_limit_tokens"),
			limit("daily_budget_tokens"),
			limit("monthly_budget_tokens"),
			limit("rate_limit_rpm"),
			limit("rate_limit_tpm"),
			object("allowed_models"),
			object("allowed_ips"),
			flag("disabled_by_owner"),
			&core.TextField{Name: "old_key_hash", Max: textLengthMax, Hidden: true},
			date("old_key_expires_at"),
		)
		keys.AddIndex("idx_api_keys_old_hash", true, "old_key_hash", "old_key_hash != ''")
		if err := app.Save(keys); err != nil {
			return err
		}
		holds, err := app.FindCollectionByNameOrId("wallet_holds")
		if err != nil {
			return err
		}
		holds.Fields.Add(text("api_key"))
		if err := app.Save(holds); err != nil {
			return err
		}
		return execute(app, `
			CREATE TABLE api_key_spending (
				key_id       TEXT NOT NULL PRIMARY KEY,
				tokens       INTEGER NOT NULL,
				held_tokens  INTEGER NOT NULL,
				day          TEXT NOT NULL,
				day_tokens   INTEGER NOT NULL,
				month        TEXT NOT NULL,
				month_tokens INTEGER NOT NULL
			) WITHOUT ROWID`, `
			CREATE TRIGGER api_key_spending_no_delete BEFORE DELETE ON api_key_spending
			BEGIN SELECT RAISE(ABORT, 'what a key has spent is never deleted'); END`, `
			CREATE TRIGGER api_key_spending_only_grows BEFORE UPDATE ON api_key_spending
			WHEN NEW.tokens < OLD.tokens OR NEW.day < OLD.day OR NEW.month < OLD.month OR NEW.key_id != OLD.key_id
			BEGIN SELECT RAISE(ABORT, 'what a key has spent never shrinks'); END`)
	}, nil)
}

// maxLimit is the largest amount of the ledger, in tokens.
const maxLimit = 1_000_000_000_000_000

// limit is a bound of a key; 0 is none.
func limit(name string) *core.NumberField {
	return between(name, 0, maxLimit)
}

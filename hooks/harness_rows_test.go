package hooks

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
)

// moneyTables are what no refused request may change, with what hangs on them.
var moneyTables = []string{
	"wallets", "wallet_ledger", "wallet_requests", "wallet_holds", "wallet_grants", "wallet_grant_moves", "usage_quarters", "usage_logs", "usage_daily", "audit_log", "prices",
	"api_key_spending", "entitlements", "plans", "app_user", "users", "sessions", "api_keys", "scrypt_passwords",
}

// snapshot is the content of tables, by table.
type snapshot map[string]string

func (h *house) snapshot(tables ...string) snapshot {
	h.t.Helper()
	if len(tables) == 0 {
		tables = moneyTables
	}
	taken := make(snapshot)
	for _, table := range tables {
		rows := h.dump(h.app.NonconcurrentDB(), table)
		if table == sessionsCollection {
			rows = slices.DeleteFunc(rows, func(row string) bool { return strings.Contains(row, ` id="`+harnessSession) })
		}
		taken[table] = strings.Join(rows, "\n")
	}
	return taken
}

// unchanged fails the test when a table is not as it was.
func (h *house) unchanged(before snapshot) {
	h.t.Helper()
	now := h.snapshot(slices.Collect(maps.Keys(before))...)
	for table, rows := range before {
		if now[table] != rows {
			h.t.Errorf("%s changed\nfrom %s\nto   %s", table, rows, now[table])
		}
	}
}

// dump writes each row of a table as text, in a fixed order.
func (h *house) dump(database dbx.Builder, table string) []string {
	h.t.Helper()
	rows, err := database.NewQuery("SELECT * FROM {{" + table + "}}").Rows()
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	var dumped []string
	for rows.Next() {
		row := dbx.NullStringMap{}
		if err := rows.ScanMap(row); err != nil {
			h.t.Fatal(err)
		}
		var text strings.Builder
		for _, column := range slices.Sorted(maps.Keys(row)) {
			fmt.Fprintf(&text, "%s=%q ", column, row[column].String)
		}
		dumped = append(dumped, text.String())
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	slices.Sort(dumped)
	return dumped
}

// count counts rows; the condition is SQL.
func (h *house) count(table, condition string, params ...any) int {
	h.t.Helper()
	var found int
	err := h.app.NonconcurrentDB().NewQuery("SELECT COUNT(*) FROM {{" + table + "}} WHERE " + condition).
		Bind(named(params)).Row(&found)
	if err != nil {
		h.t.Fatal(err)
	}
	return found
}

// execute runs SQL behind everybody's back.
func (h *house) execute(statement string, params ...any) error {
	h.t.Helper()
	_, err := h.app.NonconcurrentDB().NewQuery(statement).Bind(named(params)).Execute()
	return err
}

func (h *house) mustExecute(statement string, params ...any) {
	h.t.Helper()
	if err := h.execute(statement, params...); err != nil {
		h.t.Fatal(err)
	}
}

func named(pairs []any) dbx.Params {
	params := dbx.Params{}
	for i := 0; i < len(pairs); i += 2 {
		params[pairs[i].(string)] = pairs[i+1]
	}
	return params
}

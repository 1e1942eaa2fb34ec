package migrations_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"

	"sokuji/internal/pricing"
	_ "sokuji/migrations"
)

func newApp(t *testing.T, dir string) *tests.TestApp {
	t.Helper()
	app, err := tests.NewTestApp(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	return app
}

func TestTheSevenPlansAreSeeded(t *testing.T) {
	app := newApp(t, t.TempDir())
	want := map[string]string{ // tokens a month, cents, requests a minute, sessions, features
		"free_plan":       `0 0 60 1 ["basic"]`,
		"starter_plan":    `10000000 1000 120 2 ["basic","priority_support"]`,
		"essentials_plan": `20000000 2000 180 3 ["basic","priority_support","advanced_models"]`,
		"pro_plan":        `50000000 5000 300 5 ["basic","priority_support","advanced_models","api_access"]`,
		"business_plan":   `100000000 10000 600 10 ["basic","priority_support","advanced_models","api_access","team_features"]`,
		"enterprise_plan": `500000000 50000 1200 50 ["basic","priority_support","advanced_models","api_access","team_features"]`,
		"unlimited_plan":  `999999999 99999 9999 100 ["basic","priority_support","advanced_models","api_access","team_features"]`,
	}
	plans, err := app.FindAllRecords("plans")
	if err != nil {
		t.Fatal(err)
	}
	for _, plan := range plans {
		got := fmt.Sprint(plan.GetInt("monthly_quota_tokens"), plan.GetInt("price_cents"), plan.GetInt("rate_limit_rpm"),
			plan.GetInt("max_concurrent_sessions"), " ", plan.GetString("features"))
		got = regexp.MustCompile(` +`).ReplaceAllString(got, " ")
		if got != want[plan.Id] {
			t.Errorf("%s: got %s, want %s", plan.Id, got, want[plan.Id])
		}
		delete(want, plan.Id)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func TestThePriceBookIsSeeded(t *testing.T) {
	app := newApp(t, t.TempDir())
	for model, want := range map[string]string{ // micro-USD per million: text in, out, audio in, out, milliseconds
		"gpt-4o-realtime-preview":                 "5000000 20000000 40000000 80000000 100000",
		"gpt-4o-realtime-preview-2024-10-01":      "5000000 20000000 40000000 80000000 100000",
		"gpt-4o-mini-realtime-preview":            "600000 2400000 10000000 20000000 100000",
		"gpt-4o-mini-realtime-preview-2024-10-01": "600000 2400000 10000000 20000000 100000",
		"whisper-1": "0 0 0 0 100000",
	} {
		price, err := app.FindFirstRecordByData("prices", "model", model)
		if err != nil {
			t.Errorf("%s: %v", model, err)
			continue
		}
		got := fmt.Sprintf("%d %d %d %d %d", price.GetInt("in_text"), price.GetInt("out_text"),
			price.GetInt("in_audio"), price.GetInt("out_audio"), price.GetInt("milliseconds"))
		if got != want || price.GetString("provider") != "openai" {
			t.Errorf("%s: got %s, want %s", model, got, want)
		}
	}
}

func TestTheListPricesAreSeeded(t *testing.T) {
	app := newApp(t, t.TempDir())
	for _, listed := range pricing.ListPrices() {
		rows, err := app.FindAllRecords("prices", dbx.HashExp{"provider": listed.Provider, "model": listed.Model})
		if err != nil || len(rows) != 1 {
			t.Errorf("%s has %d rows (%v)", listed.Model, len(rows), err)
			continue
		}
		row := rows[0]
		stored := map[pricing.Class]int64{}
		for _, class := range pricing.Classes() {
			if rate := int64(row.GetInt(string(class))); rate != 0 {
				stored[class] = rate
			}
		}
		encoded, _ := json.Marshal(stored)
		var rates pricing.Rates
		if err := json.Unmarshal(encoded, &rates); err != nil || rates != listed.Rates {
			t.Errorf("%s is stored with %+v (%v), want %+v", listed.Model, rates, err, listed.Rates)
		}
		if row.GetString("source") != listed.Source || row.GetString("feature") != listed.Feature || row.GetString("match") != "exact" {
			t.Errorf("%s is stored as %v", listed.Model, row)
		}
	}
}

// A model that an admin priced before the list came keeps that price.
func TestTheListLeavesAnAdminsPriceAlone(t *testing.T) {
	app := newApp(t, t.TempDir())
	collection, err := app.FindCollectionByNameOrId("prices")
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"DROP TRIGGER prices_no_delete", "DELETE FROM prices"} {
		if err := sqlError(app, statement); err != nil {
			t.Fatal(err)
		}
	}
	own := core.NewRecord(collection)
	own.Load(map[string]any{"provider": "OpenAI", "model": "gpt-4o", "in_text": 7})
	if err := app.Save(own); err != nil {
		t.Fatal(err)
	}
	for _, item := range core.AppMigrations.Items() {
		if item.File == "1795478435_list_prices.go" {
			err = item.Up(app)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	rows, err := app.FindAllRecords("prices", dbx.HashExp{"model": "gpt-4o"})
	if err != nil || len(rows) != 1 || rows[0].GetInt("in_text") != 7 {
		t.Errorf("gpt-4o has %d rows (%v)", len(rows), err)
	}
	if all, err := app.CountRecords("prices"); err != nil || int(all) != len(pricing.ListPrices()) {
		t.Errorf("%d rows (%v), want the list's other models and the admin's", all, err)
	}
}

// Nobody but superusers gets a rule that writes, and money is seen by its owner.
func TestRules(t *testing.T) {
	app := newApp(t, t.TempDir())
	const owned = `@request.auth.id != "" && subject_type = "user" && subject_id = @request.auth.id`
	for name, list := range map[string]string{
		"wallets": owned, "wallet_ledger": owned, "usage_logs": owned, "usage_daily": owned, "entitlements": owned,
		"wallet_holds": owned, "wallet_grants": owned,
		"app_user": `@request.auth.id != "" && better_auth_user_id = @request.auth.id`,
		"sessions": `@request.auth.id != "" && user = @request.auth.id`,
		"api_keys": `@request.auth.id != "" && user = @request.auth.id`,
		"prices":   `@request.auth.id != ""`, "plans": "", "webhook_logs": "nobody", "audit_log": "nobody",
	} {
		collection, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		view := list
		if name == "wallets" { // members see their organisation's
			view = `(` + list + `) || (@request.auth.id != "" && @request.auth.collectionName = "users"` +
				` && subject_type = "organization" && @request.auth.memberships_via_user.organization ?= subject_id)`
		}
		if rule(collection.ListRule) != list || rule(collection.ViewRule) != view {
			t.Errorf("%s: list %q, view %q", name, rule(collection.ListRule), rule(collection.ViewRule))
		}
		mayDelete := "nobody"
		if name == "sessions" { // an owner ends their own
			mayDelete = `@request.auth.id != "" && @request.auth.collectionName = "users" && user = @request.auth.id`
		}
		if collection.CreateRule != nil || collection.UpdateRule != nil || rule(collection.DeleteRule) != mayDelete {
			t.Errorf("%s may be written by somebody: deleted by %q", name, rule(collection.DeleteRule))
		}
	}
}

// What members may do with their organisation; the hooks say the rest.
func TestRulesOfOrganizations(t *testing.T) {
	app := newApp(t, t.TempDir())
	const (
		user   = `@request.auth.id != "" && @request.auth.collectionName = "users"`
		member = user + ` && memberships_via_organization.user ?= @request.auth.id`
		fellow = user + ` && organization.name > "" && organization.memberships_via_organization.user ?= @request.auth.id`
		roles  = `memberships_via_organization.role ?= `
		leader = `(organization.` + roles + `"owner" || organization.` + roles + `"admin")`
	)
	for name, want := range map[string][5]string{ // list, view, create, update, delete
		"organizations": {member, member, user, member + ` && (` + roles + `"owner" || ` + roles + `"admin")`, member + ` && ` + roles + `"owner"`},
		"memberships": {fellow, fellow, fellow + ` && ` + leader, fellow + ` && organization.` + roles + `"owner"`,
			fellow + ` && (user = @request.auth.id || ` + leader + `)`},
	} {
		c, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			t.Fatal(err)
		}
		got := [5]string{rule(c.ListRule), rule(c.ViewRule), rule(c.CreateRule), rule(c.UpdateRule), rule(c.DeleteRule)}
		for i, verb := range []string{"list", "view", "create", "update", "delete"} {
			if got[i] != want[i] {
				t.Errorf("%s %s: got %s, want %s", verb, name, got[i], want[i])
			}
		}
	}
}

// The database itself keeps one seat a user, behind every road.
func TestAUserHasOneSeatInAnOrganization(t *testing.T) {
	app := newApp(t, t.TempDir())
	insert := func(id, organization, user string) error {
		return sqlError(app, `INSERT INTO memberships (id, organization, user, role) VALUES ('`+id+`', '`+organization+`', '`+user+`', 'member')`)
	}
	for _, row := range [][3]string{{"a", "acme", "ada"}, {"b", "acme", "bob"}, {"c", "other", "ada"}} {
		if err := insert(row[0], row[1], row[2]); err != nil {
			t.Fatal(err)
		}
	}
	if err := insert("d", "acme", "ada"); err == nil {
		t.Error("a user sits in an organization twice")
	}
}

func sqlError(app core.App, statement string) error {
	_, err := app.NonconcurrentDB().NewQuery(statement).Execute()
	return err
}

func rule(r *string) string {
	if r == nil {
		return "nobody"
	}
	return *r
}

func TestTheTriggersStandGuard(t *testing.T) {
	app := newApp(t, t.TempDir())
	var triggers []string
	if err := app.DB().NewQuery(`SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name`).Column(&triggers); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"api_key_spending_no_delete", "api_key_spending_only_grows", "audit_log_no_delete", "audit_log_no_update", "prices_no_delete", "prices_no_update", "sessions_fill_columns",
		"usage_archives_keep_terms", "usage_archives_no_delete", "usage_archives_removed_once", "usage_logs_no_update", "users_secret_ends_sessions",
		"wallet_grant_moves_no_delete", "wallet_grant_moves_no_update", "wallet_grants_keep_terms", "wallet_grants_no_delete",
		"wallet_holds_closed_once", "wallet_holds_keep_owner", "wallet_holds_no_delete",
		"wallet_ledger_no_delete", "wallet_ledger_no_update", "wallet_requests_no_delete", "wallet_requests_no_update",
		"wallets_keep_owner", "wallets_no_delete",
	}
	if !slices.Equal(triggers, want) {
		t.Errorf("got %v, want %v", triggers, want)
	}
}

// A second start finds nothing to do, and leaves an admin's plan alone.
func TestMigratingAgainChangesNothing(t *testing.T) {
	first := newApp(t, t.TempDir())
	plan, err := first.FindRecordById("plans", "free_plan")
	if err != nil {
		t.Fatal(err)
	}
	plan.Set("rate_limit_rpm", 7)
	if err := first.Save(plan); err != nil {
		t.Fatal(err)
	}
	if _, err := first.NonconcurrentDB().NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute(); err != nil {
		t.Fatal(err)
	}
	second := newApp(t, first.DataDir())
	if err := second.RunAllMigrations(); err != nil {
		t.Fatal(err)
	}
	plan, err = second.FindRecordById("plans", "free_plan")
	if err != nil || plan.GetInt("rate_limit_rpm") != 7 {
		t.Fatalf("the admin's limit became %d (%v)", plan.GetInt("rate_limit_rpm"), err)
	}
}

// PocketBase knows a migration by its file's name: two that share one run once.
func TestEveryMigrationIsKnownByItsOwnFile(t *testing.T) {
	files, err := filepath.Glob("1*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var known []string
	for _, item := range core.AppMigrations.Items() {
		known = append(known, item.File)
	}
	for _, file := range files {
		if !slices.Contains(known, file) {
			t.Errorf("%s is not registered", file)
		}
	}
}

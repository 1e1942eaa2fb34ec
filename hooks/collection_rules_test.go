package hooks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sokuji/internal/apikeys"
	"sokuji/internal/pricing"
)

// ruleRow is what PocketBase's record API does with one collection. Outcomes come
// in the order of ruleCallers.
type ruleRow struct {
	collection string
	// target finds the row that view, update and delete are tried on.
	target                             func(*house) string
	list, view, create, update, delete [5]string
}

// ruleCallers call in this order; the one who may do most comes last.
var ruleCallers = []struct {
	name string
	as   func(*house) credential
}{
	{"guest", func(*house) credential { return nobody }},
	{"key", func(h *house) credential { return bearer(h.key(apikeys.ScopeGateway, apikeys.ScopeWalletRead)) }},
	{"other user", (*house).asBob},
	{"user", (*house).asAlice},
	{"superuser", (*house).asRoot},
}

func first(table string) func(*house) string {
	return func(h *house) string { return h.firstID(table, "TRUE") }
}

func ofUser(table, column string) func(*house) string {
	return func(h *house) string { return h.firstID(table, column+" = {:user}", "user", h.alice.Id) }
}

func (h *house) firstID(table, condition string, params ...any) string {
	h.t.Helper()
	var id string
	err := h.app.NonconcurrentDB().NewQuery("SELECT id FROM {{" + table + "}} WHERE " + condition + " ORDER BY id LIMIT 1").
		Bind(named(params)).Row(&id)
	if err != nil {
		h.t.Fatalf("no row of %s: %v", table, err)
	}
	return id
}

// What happens to nearly every collection: only the owner sees a row, only a
// superuser may write, and on books not even that.
var (
	nobodyMay    = [5]string{"403", "403", "403", "403", "403"}
	onlyRootMay  = [5]string{"403", "403", "403", "403", "204"}
	rootPatches  = [5]string{"403", "403", "403", "403", "200"}
	rootMayWrong = [5]string{"403", "403", "403", "403", "400"} // admitted, with an empty body
	ownerSees    = [5]string{"404", "403", "404", "200", "200"}
	rootSees     = [5]string{"403", "403", "403", "403", "200"}
)

// owned is how many rows each caller sees of a collection that owners see.
func owned(alices, bobs int) [5]string {
	return [5]string{"0", "403", fmt.Sprint(bobs), fmt.Sprint(alices), fmt.Sprint(alices + bobs)}
}

// everybodySees is for what every signed-in caller sees alike.
func everybodySees(rows int) [5]string {
	all := fmt.Sprint(rows)
	return [5]string{"0", "403", all, all, all}
}

var ruleMatrix = []ruleRow{
	{collection: "wallets", target: ofUser("wallets", "subject_id"), list: [5]string{"0", "403", "1", "1", "3"}, view: ownerSees,
		create: nobodyMay, update: nobodyMay, delete: nobodyMay},
	{collection: "wallet_ledger", target: ofUser("wallet_ledger", "subject_id"), list: owned(3, 1), view: ownerSees,
		create: nobodyMay, update: nobodyMay, delete: nobodyMay},
	{collection: "wallet_holds", target: ofUser("wallet_holds", "subject_id"), list: owned(1, 0), view: ownerSees,
		create: nobodyMay, update: nobodyMay, delete: nobodyMay},
	{collection: "wallet_grants", target: ofUser("wallet_grants", "subject_id"), list: owned(1, 0), view: ownerSees,
		create: nobodyMay, update: nobodyMay, delete: nobodyMay},
	{collection: "usage_logs", target: ofUser("usage_logs", "subject_id"), list: owned(1, 0), view: ownerSees,
		create: nobodyMay, update: nobodyMay, delete: nobodyMay},
	{collection: "usage_daily", target: ofUser("usage_daily", "subject_id"), list: owned(1, 0), view: ownerSees,
		create: nobodyMay, update: nobodyMay, delete: nobodyMay},
	{collection: "audit_log", target: ofUser("audit_log", "subject_id"),
		list: [5]string{"403", "403", "403", "403", "3"}, view: rootSees,
		create: nobodyMay, update: nobodyMay, delete: nobodyMay},
	{collection: "prices", target: first("prices"),
		list: everybodySees(len(pricing.SeedPrices()) + len(pricing.ListPrices())), view: [5]string{"404", "403", "200", "200", "200"},
		create: rootMayWrong, update: nobodyMay, delete: nobodyMay},
	{collection: "plans", target: func(*house) string { return "unlimited_plan" },
		list: [5]string{"7", "403", "7", "7", "7"}, view: [5]string{"200", "403", "200", "200", "200"},
		create: rootPatches, update: rootPatches, delete: onlyRootMay},
	{collection: "entitlements", target: ofUser("entitlements", "subject_id"), list: [5]string{"0", "403", "1", "1", "3"}, view: ownerSees,
		create: rootMayWrong, update: rootPatches, delete: onlyRootMay},
	{collection: "app_user", target: ofUser("app_user", "better_auth_user_id"), list: owned(1, 1), view: ownerSees,
		create: rootMayWrong, update: rootPatches, delete: onlyRootMay},
	// an owner ends a session of theirs by deleting it
	{collection: "sessions", target: ofUser("sessions", "user"), list: owned(3, 2), view: ownerSees,
		create: rootMayWrong, update: rootPatches, delete: [5]string{"404", "403", "404", "204", "404"}},
	{collection: "api_keys", target: ofUser("api_keys", "user"), list: owned(2, 0), view: ownerSees,
		create: nobodyMay, update: rootPatches, delete: onlyRootMay},
	{collection: "providers", target: first("providers"),
		list: [5]string{"403", "403", "403", "403", "1"}, view: rootSees,
		create: rootMayWrong, update: rootPatches, delete: onlyRootMay},
	// alice owns the one organisation; whoever signs in may make another
	{collection: "organizations", target: first("organizations"),
		list: [5]string{"0", "403", "0", "1", "1"}, view: [5]string{"404", "403", "404", "200", "200"},
		create: [5]string{"400", "403", "400", "400", "400"}, update: [5]string{"404", "403", "404", "200", "200"},
		delete: [5]string{"404", "403", "404", "204", "404"}},
	{collection: "memberships", target: first("memberships"),
		list: [5]string{"0", "403", "0", "1", "1"}, view: [5]string{"404", "403", "404", "200", "200"},
		create: [5]string{"400", "403", "400", "400", "400"}, update: [5]string{"404", "403", "404", "200", "200"},
		delete: [5]string{"404", "403", "404", "400", "400"}},
	{collection: "webhook_logs", target: first("webhook_logs"),
		list: [5]string{"403", "403", "403", "403", "1"}, view: rootSees,
		create: rootMayWrong, update: rootPatches, delete: onlyRootMay},
	// an account is its owner's; after they deleted it, it is gone for the superuser too
	{collection: "users", target: func(h *house) string { return h.alice.Id }, list: owned(1, 1), view: ownerSees,
		create: [5]string{"400", "403", "400", "400", "400"}, update: [5]string{"404", "403", "404", "200", "200"},
		delete: [5]string{"404", "403", "404", "204", "404"}},
}

// furnished is a house with a row in every collection of ours.
func furnished(t *testing.T) *house {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	h.mint(h.bob, 1000)
	h.use(h.alice, 10)
	h.hold(h.alice, 5)
	h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", 5, "expiresAt", "2099-01-01T00:00:00Z")).want(200)
	h.aliceSession()
	h.aliceSession()
	h.signIn(bobEmail, testPassword)
	h.defaultKey()
	h.do("POST", "/api/collections/organizations/records", h.asAlice(), object("name", "Acme")).want(200)
	h.save("providers", map[string]any{"name": "local", "kind": "compatible", "base_url": "http://127.0.0.1:11434/v1", "api_key": "sk-canary"})
	h.save("webhook_logs", map[string]any{"event_id": "evt_1", "event_type": "test"})
	return h
}

func TestCollectionRules(t *testing.T) {
	for _, row := range ruleMatrix {
		t.Run(row.collection, func(t *testing.T) {
			t.Parallel()
			h := furnished(t)
			credentials := make([]credential, len(ruleCallers))
			for i, caller := range ruleCallers {
				credentials[i] = caller.as(h)
			}
			records := "/api/collections/" + row.collection + "/records"
			target := records + "/" + row.target(h)
			for i, as := range credentials {
				if got := listed(h.do("GET", records+"?perPage=500", as, "")); got != row.list[i] {
					t.Errorf("list as %s: %s, want %s", ruleCallers[i].name, got, row.list[i])
				}
			}
			for _, verb := range []struct {
				method, path, body string
				want               [5]string
			}{
				{"GET", target, "", row.view},
				{"POST", records, "{}", row.create},
				{"PATCH", target, "{}", row.update},
				{"DELETE", target, "", row.delete},
			} {
				for i, as := range credentials {
					if got := h.do(verb.method, verb.path, as, verb.body); got.outcome() != verb.want[i] {
						t.Errorf("%s as %s: %s, want %s: %s", verb.method, ruleCallers[i].name, got.outcome(), verb.want[i], got.body)
					}
				}
			}
		})
	}
}

// listed is how many rows a list shows, or the status that refused it.
func listed(a answer) string {
	if a.status != 200 {
		return fmt.Sprint(a.status)
	}
	return fmt.Sprint(a.length("items"))
}

// Every collection that the migrations make is in the matrix and under guard.
func TestEveryCollectionHasARow(t *testing.T) {
	h := newHouse(t)
	collections, err := h.app.FindAllCollections()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, collection := range collections {
		if strings.HasPrefix(collection.Name, "_") {
			continue
		}
		found++
		if !slices.ContainsFunc(ruleMatrix, func(row ruleRow) bool { return row.collection == collection.Name }) {
			t.Errorf("the collection %s has no row in the matrix", collection.Name)
		}
		if !slices.Contains(ownCollections, collection.Name) {
			t.Errorf("the schema of the collection %s is not under guard", collection.Name)
		}
	}
	if found != len(ruleMatrix) {
		t.Errorf("there are %d collections and %d rows", found, len(ruleMatrix))
	}
}

// A hash is shown to nobody, by no way of asking.
func TestHiddenColumnsAreNeverShown(t *testing.T) {
	h := furnished(t)
	hashes := append(h.columns("sessions", "token_hash", "token_key_hash"), h.columns("api_keys", "key_hash")...)
	if len(hashes) != 9 {
		t.Fatalf("there are %d hashes to look for, want 9", len(hashes))
	}
	for _, path := range []string{
		"/sessions/records", "/sessions/records?fields=*,token_hash,token_key_hash", "/sessions/records?expand=user",
		"/sessions/records/" + ofUser("sessions", "user")(h),
		"/api_keys/records", "/api_keys/records?fields=key_hash", "/api_keys/records/" + ofUser("api_keys", "user")(h),
		"/users/records?expand=sessions_via_user,api_keys_via_user",
		"/users/records/" + h.alice.Id + "?expand=sessions_via_user,api_keys_via_user",
	} {
		for name, as := range map[string]credential{"user": h.asAlice(), "superuser": h.asRoot()} {
			body := string(h.do("GET", "/api/collections"+path, as, "").want(200).body)
			shown := slices.DeleteFunc(append(slices.Clone(hashes), "token_hash", "token_key_hash", "key_hash"),
				func(secret string) bool { return !strings.Contains(body, secret) })
			if len(shown) > 0 {
				t.Errorf("%s shows %d hidden values to a %s, such as %s", path, len(shown), name, shown[len(shown)-1])
			}
		}
	}
}

// Nobody can find a hash by filtering or sorting for it either.
func TestHiddenColumnsAreNoFilter(t *testing.T) {
	h := furnished(t)
	for _, query := range []string{"sessions/records?filter=token_hash!=''", "api_keys/records?filter=key_hash!=''"} {
		h.do("GET", "/api/collections/"+query, h.asAlice(), "").wantOutcome("400")
	}
}

func (h *house) columns(table string, columns ...string) []string {
	h.t.Helper()
	var values []string
	for _, column := range columns {
		var found []string
		if err := h.app.DB().Select(column).From(table).Column(&found); err != nil {
			h.t.Fatal(err)
		}
		values = append(values, found...)
	}
	return values
}

// An account is its owner's, but not who they are and whether that was verified.
func TestAUserDoesNotEditTheirStanding(t *testing.T) {
	h := newHouse(t)
	columns := []string{"id", "email", "verified", "tokenKey", "password"}
	before := h.columns("users", columns...)
	for field, value := range map[string]any{
		"verified": true, "id": "xxxxxxxxxxxxxxx", "email": "mallory@example.com",
		"tokenKey": strings.Repeat("x", 40), "password": "without the old one",
	} {
		h.do("PATCH", "/api/collections/users/records/"+h.alice.Id, h.asAlice(), object(field, value))
		if now := h.columns("users", columns...); !slices.Equal(now, before) {
			t.Errorf("alice edited %s: %v, was %v", field, now, before)
		}
	}
}

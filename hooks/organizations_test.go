package hooks

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	organizationRecords = "/api/collections/organizations/records"
	membershipRecords   = "/api/collections/memberships/records"
)

// company is an organisation of alice's with a user in each role; bob and other
// do not belong to it.
type company struct {
	*house
	id                   string
	admin, member, other *core.Record
}

func newCompany(t *testing.T) company {
	h := newHouse(t)
	c := company{house: h, id: h.found(h.alice, "Acme")}
	for name, user := range map[string]**core.Record{"admin": &c.admin, "member": &c.member, "other": &c.other} {
		email := name + "@example.com"
		h.do("POST", "/api/auth/sign-up/email", nobody, object("name", name, "email", email, "password", testPassword)).want(200)
		*user = h.record(usersCollection, email)
	}
	c.appoint(h.asAlice(), c.id, c.admin, roleAdmin).want(200)
	c.appoint(h.asAlice(), c.id, c.member, roleMember).want(200)
	return c
}

// found makes an organisation of a user's and returns its id.
func (h *house) found(owner *core.Record, name string) string {
	h.t.Helper()
	return h.do("POST", organizationRecords, h.token(owner), object("name", name)).want(200).text("id")
}

func (c company) path() string { return organizationRecords + "/" + c.id }

func (c company) walletPath(route string) string {
	return "/api/wallet/" + route + "?subjectType=organization&subjectId=" + c.id
}

// body names the company's wallet in a body.
func (c company) body(pairs ...any) string {
	return object(append([]any{"subjectType", "organization", "subjectId", c.id}, pairs...)...)
}

func (c company) appoint(as credential, organization string, user *core.Record, becomes role) answer {
	c.t.Helper()
	return c.do("POST", membershipRecords, as, object("organization", organization, "user", user.Id, "role", string(becomes)))
}

func (c company) seatOf(user *core.Record) string {
	c.t.Helper()
	return membershipRecords + "/" + c.firstID("memberships", "user = {:user} AND organization = {:organization}", "user", user.Id, "organization", c.id)
}

// wantOrganization fails unless everything that an organisation begins with is there.
func (h *house) wantOrganization(id string) {
	h.t.Helper()
	if n := h.count("organizations", "id = {:id}", "id", id); n != 1 {
		h.t.Errorf("%d organizations, want 1", n)
	}
	if n := h.count("wallets", "id = {:id} AND subject_id = id AND subject_type = 'organization' AND balance_tokens = 0 AND seq = 0", "id", id); n != 1 {
		h.t.Errorf("%d new wallets of the organization, want 1", n)
	}
	if n := h.count("entitlements", "subject_id = {:id} AND subject_type = 'organization' AND plan_id = 'free_plan' AND rate_limit_rpm = 60", "id", id); n != 1 {
		h.t.Errorf("%d entitlements of the organization on the free plan, want 1", n)
	}
}

// By any road, an organisation has its wallet and its entitlement; by a user's, an owner.
func TestEveryRoadProvisionsAnOrganization(t *testing.T) {
	h := newHouse(t)
	h.enableBatch()
	for name, road := range map[string]struct {
		create func() string
		owners int
	}{
		"a user": {func() string { return h.found(h.alice, "Acme") }, 1},
		"a session": {func() string {
			return h.do("POST", organizationRecords, bearer(h.aliceSession().raw), object("name", "Acme")).want(200).text("id")
		}, 1},
		"a batch": {func() string {
			create := batched("POST", organizationRecords, map[string]any{"name": "Acme"})
			return h.do("POST", "/api/batch", h.asAlice(), object("requests", []any{create})).want(200).text("0.body.id")
		}, 1},
		"a superuser": {func() string {
			return h.do("POST", organizationRecords, h.asRoot(), object("name", "Acme", "id", "acme-corp")).want(200).text("id")
		}, 0},
		"Go": {func() string { return h.save(organizationsCollection, map[string]any{"name": "Acme"}).Id }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h := &house{t: t, app: h.app, srv: h.srv, alice: h.alice, bob: h.bob, root: h.root}
			id := road.create()
			h.wantOrganization(id)
			if n := h.count("memberships", "organization = {:id} AND user = {:user} AND role = 'owner'", "id", id, "user", h.alice.Id); n != road.owners {
				t.Errorf("%d owners, want %d", n, road.owners)
			}
			if n := h.count("memberships", "organization = {:id}", "id", id); n != road.owners {
				t.Errorf("%d members, want %d", n, road.owners)
			}
		})
	}
}

// When any of it cannot be made, nothing is.
func TestAFailingProvisioningLeavesNoOrganization(t *testing.T) {
	for _, table := range []string{"wallets", "entitlements", "memberships"} {
		t.Run(table, func(t *testing.T) {
			h := newHouse(t)
			h.mustExecute("CREATE TRIGGER broken BEFORE INSERT ON " + table + " BEGIN SELECT RAISE(ABORT, 'a full disk'); END")
			before := h.snapshot("organizations", "memberships", "wallets", "entitlements")
			h.do("POST", organizationRecords, h.asAlice(), object("name", "Acme")).want(400)
			h.unchanged(before)
		})
	}
}

func TestTheNameIsNeededAndBounded(t *testing.T) {
	h := newHouse(t)
	for _, name := range []any{"", strings.Repeat("x", 201), nil} {
		h.do("POST", organizationRecords, h.asAlice(), object("name", name)).wantOutcome("400").names("name")
	}
	h.found(h.alice, strings.Repeat("x", 200))
}

// A plan that is minted to an organisation is the organisation's, nobody else's.
func TestMintingToAnOrganization(t *testing.T) {
	c := newCompany(t)
	c.do("POST", "/api/wallet/mint", c.asRoot(), c.body("planId", "pro_plan", "amountCents", 5000)).want(200)
	balance := c.do("GET", c.walletPath("balance"), c.token(c.member), "").want(200)
	if balance.number("balance") != 50_000_000 || balance.text("planId") != "pro_plan" {
		t.Errorf("the organization has %s", balance.body)
	}
	if c.balance(c.alice) != 0 {
		t.Error("the owner was given the organization's tokens")
	}
}

// One id is one wallet, for ever, whoever had it.
func TestAnIDIsNotGivenTwice(t *testing.T) {
	c := newCompany(t)
	c.do("DELETE", c.path(), c.asAlice(), "").want(204)
	before := c.snapshot("organizations", "memberships", "users", "wallets", "entitlements")
	for name, as := range map[string]credential{"user": c.asBob(), "superuser": c.asRoot()} {
		for _, taken := range []string{c.id, c.bob.Id} {
			got := c.do("POST", organizationRecords, as, object("id", taken, "name", "Again"))
			if got.wantOutcome("400"); got.names("wallet").text("message") == "" {
				t.Errorf("%s: no sentence says what is wrong: %s", name, got.body)
			}
		}
	}
	got := c.do("POST", "/api/collections/users/records", c.asRoot(), object(
		"id", c.id, "email", "again@example.com", "password", testPassword, "passwordConfirm", testPassword))
	if got.status != 400 {
		t.Errorf("a user took over an organization's id: %d %s", got.status, got.body)
	}
	c.unchanged(before)
}

// Books are kept; what they were for is gone, and so is everybody's way to them.
func TestADeletedOrganizationKeepsItsBooksOnly(t *testing.T) {
	c := newCompany(t)
	c.do("POST", "/api/wallet/mint", c.asRoot(), c.body("amount", 10)).want(200)
	books := c.snapshot("wallets", "wallet_ledger")
	for _, user := range []*core.Record{c.alice, c.admin, c.member} { // into the cache of roles
		c.do("GET", c.walletPath("balance"), c.token(user), "").want(200)
	}
	c.do("DELETE", c.path(), c.asAlice(), "").want(204)
	c.unchanged(books)
	for _, table := range []string{"memberships", "organizations"} {
		if n := c.count(table, "TRUE"); n != 0 {
			t.Errorf("%d rows of %s are left", n, table)
		}
	}
	if n := c.count("entitlements", "subject_id = {:id}", "id", c.id); n != 0 {
		t.Errorf("%d entitlements are left", n)
	}
	for _, user := range []*core.Record{c.alice, c.admin, c.member} {
		c.do("GET", c.walletPath("balance"), c.token(user), "").wantOutcome("403 forbidden")
		c.do("GET", "/api/collections/wallets/records/"+c.id, c.token(user), "").wantOutcome("404")
	}
	c.do("GET", c.walletPath("balance"), c.asRoot(), "").want(200)
}

func TestOneUserOwnsSoManyOrganizations(t *testing.T) {
	h := newHouse(t)
	for i := range maxOwnedOrganizations {
		h.found(h.alice, fmt.Sprint("Company ", i))
	}
	before := h.snapshot("organizations", "memberships", "wallets", "entitlements")
	h.do("POST", organizationRecords, h.asAlice(), object("name", "One more")).wantOutcome("400").names("20 organizations")
	h.unchanged(before)

	// nor are more handed to her
	other := company{house: h, id: h.found(h.bob, "Bob's")}
	other.appoint(h.asBob(), other.id, h.alice, roleOwner).wantOutcome("400").names("20 organizations")
	other.appoint(h.asBob(), other.id, h.alice, roleAdmin).want(200)
	h.do("PATCH", other.seatOf(h.alice), h.asBob(), object("role", "owner")).wantOutcome("400").names("20 organizations")

	one := h.firstID("organizations", "name = 'Company 7'")
	h.do("DELETE", organizationRecords+"/"+one, h.asAlice(), "").want(204)
	h.found(h.alice, "Another")
}

func TestMembersSeeTheirOrganizationsWalletByTheSDK(t *testing.T) {
	c := newCompany(t)
	elsewhere := c.found(c.other, "Other")
	wallets := "/api/collections/wallets/records"
	for _, row := range []struct {
		name   string
		as     credential
		wallet string
		want   string
	}{
		{"owner", c.asAlice(), c.id, "200"}, {"admin", c.token(c.admin), c.id, "200"}, {"member", c.token(c.member), c.id, "200"},
		{"their own", c.token(c.member), c.member.Id, "200"}, {"another member's own", c.asAlice(), c.member.Id, "404"},
		{"another organization's", c.asAlice(), elsewhere, "404"}, {"stranger", c.token(c.other), c.id, "404"},
		{"guest", nobody, c.id, "404"}, {"superuser", c.asRoot(), c.id, "200"},
	} {
		if got := c.do("GET", wallets+"/"+row.wallet, row.as, ""); got.outcome() != row.want {
			t.Errorf("%s: %s, want %s", row.name, got.outcome(), row.want)
		}
	}
	if own := c.do("GET", wallets, c.asAlice(), "").want(200); own.length("items") != 1 || own.text("items.0.id") != c.alice.Id {
		t.Errorf("the list of wallets is %s, want one's own", own.body)
	}
}

func TestAMintReachesTheMembersWhoListen(t *testing.T) {
	c := newCompany(t)
	topic := "wallets/" + c.id
	c.appoint(c.asAlice(), c.id, c.bob, roleMember).want(200)
	removed := c.listen(c.asBob(), topic)
	c.do("DELETE", c.seatOf(c.bob), c.asAlice(), "").want(204)
	deaf := map[string]stream{
		"bob, removed": removed, "bob, by id": c.listen(c.asBob(), topic), "bob, by *": c.listen(c.asBob(), "wallets/*"),
		"a guest": c.listen(nobody, topic),
	}
	listening := map[string]stream{
		"owner": c.listen(c.asAlice(), topic), "admin": c.listen(c.token(c.admin), topic), "member": c.listen(c.token(c.member), topic),
		"member with options": c.listen(c.token(c.member), topic+"?options=%7B%22query%22%3A%7B%7D%7D"),
	}
	c.do("POST", "/api/wallet/mint", c.asRoot(), c.body("amount", 4321)).want(200)
	for name, s := range listening {
		if event := c.next(s); !strings.HasPrefix(event, topic) || !strings.Contains(event, `"balance_tokens":4321`) {
			t.Errorf("%s hears %s", name, event)
		}
	}
	c.heardNothing(deaf)
}

// Whoever lists, views or writes these collections costs what their own
// memberships cost, however many others there are.
func TestTheRulesReadNoWholeTable(t *testing.T) {
	c := newCompany(t)
	database, _ := c.app.ConcurrentDB().(*dbx.DB)
	var mutex sync.Mutex
	var queries []string
	database.QueryLogFunc = func(_ context.Context, _ time.Duration, query string, _ *sql.Rows, _ error) {
		mutex.Lock()
		defer mutex.Unlock()
		if strings.Contains(query, "`memberships`") && !strings.HasPrefix(query, "EXPLAIN") {
			queries = append(queries, query)
		}
	}
	c.do("GET", membershipRecords, c.token(c.member), "").want(200)
	c.do("GET", organizationRecords, c.token(c.member), "").want(200)
	c.do("GET", c.path(), c.token(c.member), "").want(200)
	c.do("GET", "/api/collections/wallets/records/"+c.id, c.token(c.member), "").want(200)
	c.do("PATCH", c.path(), c.token(c.member), object("name", "x")).want(404)
	c.do("PATCH", c.seatOf(c.admin), c.token(c.member), object("role", "member")).want(404)
	c.do("DELETE", c.seatOf(c.admin), c.token(c.member), "").want(404)
	c.appoint(c.token(c.member), c.id, c.bob, roleMember).want(400)
	database.QueryLogFunc = nil
	if len(queries) < 8 {
		t.Fatalf("only %d queries were seen: this test looks in the wrong place", len(queries))
	}
	for _, query := range queries {
		var plan []struct{ Detail string }
		if err := database.NewQuery("EXPLAIN QUERY PLAN " + query).All(&plan); err != nil {
			t.Fatal(err)
		}
		for _, step := range plan {
			// a new record is checked as a table of one row
			if strings.HasPrefix(step.Detail, "SCAN ") && !strings.Contains(step.Detail, "CONSTANT ROW") && !strings.Contains(step.Detail, "__pb_create__") {
				t.Errorf("%s: %s", step.Detail, query)
			}
		}
	}
}

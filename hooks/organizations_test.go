package hooks

import (
	"fmt"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
)

const (
	organizationRecords = "/api/collections/organizations/records"
	membershipRecords   = "/api/collections/memberships/records"
)

// company is an organisation of alice's with a user in each role.
type company struct {
	*house
	id                   string
	admin, member, other *core.Record
}

func newCompany(t *testing.T) company {
	h := newHouse(t)
	c := company{house: h, id: h.do("POST", organizationRecords, h.asAlice(), object("name", "Acme")).want(200).text("id")}
	for name, user := range map[string]**core.Record{"admin": &c.admin, "member": &c.member, "other": &c.other} {
		email := name + "@example.com"
		h.do("POST", "/api/auth/sign-up/email", nobody, object("name", name, "email", email, "password", testPassword)).want(200)
		*user = h.record(usersCollection, email)
	}
	c.appoint(h.asAlice(), c.id, c.admin, roleAdmin).want(200)
	c.appoint(h.asAlice(), c.id, c.member, roleMember).want(200)
	return c
}

func (c company) appoint(as credential, organization string, user *core.Record, as2 role) answer {
	c.t.Helper()
	return c.do("POST", membershipRecords, as, object("organization", organization, "user", user.Id, "role", string(as2)))
}

func (c company) seatOf(user *core.Record) string {
	c.t.Helper()
	return membershipRecords + "/" + c.firstID("memberships", "user = {:user} AND organization = {:organization}", "user", user.Id, "organization", c.id)
}

func TestAnOrganizationHasAWalletAndAnOwner(t *testing.T) {
	c := newCompany(t)
	if n := c.count("wallets", "id = {:id} AND subject_type = 'organization' AND subject_id = {:id}", "id", c.id); n != 1 {
		t.Errorf("%d wallets", n)
	}
	if n := c.count("entitlements", "subject_id = {:id} AND plan_id = 'free_plan'", "id", c.id); n != 1 {
		t.Errorf("%d entitlements", n)
	}
	if n := c.count("memberships", "organization = {:id} AND user = {:user} AND role = 'owner'", "id", c.id, "user", c.alice.Id); n != 1 {
		t.Errorf("%d owners", n)
	}
	c.do("POST", "/api/wallet/mint", c.asRoot(), object("subjectType", "organization", "subjectId", c.id, "planId", "pro_plan", "amountCents", 5000)).want(200)
	balance := c.do("GET", "/api/wallet/balance?subjectType=organization&subjectId="+c.id, c.asAlice(), "").want(200)
	if balance.number("balance") != 50_000_000 || balance.text("planId") != "pro_plan" {
		t.Errorf("balance: %s", balance.body)
	}
}

// Who may do what with an organisation's wallet.
func TestRolesOnAnOrganizationsWallet(t *testing.T) {
	c := newCompany(t)
	c.do("POST", "/api/wallet/mint", c.asRoot(), object("subjectType", "organization", "subjectId", c.id, "amount", 1000)).want(200)
	ofCompany := "?subjectType=organization&subjectId=" + c.id
	keyOf := func(user *core.Record, scopes ...apikeys.Scope) credential {
		alice := c.alice
		c.alice = user
		defer func() { c.alice = alice }()
		return bearer(c.key(scopes...))
	}
	callers := []struct {
		name string
		as   credential
	}{
		{"guest", nobody}, {"other", c.token(c.other)}, {"member", c.token(c.member)}, {"admin", c.token(c.admin)},
		{"owner", c.asAlice()}, {"member's reading key", keyOf(c.member, apikeys.ScopeWalletRead)},
		{"member's charge key", keyOf(c.member, apikeys.ScopeWalletCharge)},
		{"other's charge key", keyOf(c.other, apikeys.ScopeWalletRead, apikeys.ScopeWalletCharge)}, {"superuser", c.asRoot()},
	}
	const no, ok, who = "403 forbidden", "200", "401 unauthorized"
	see := []string{who, no, ok, ok, ok, ok, no, no, ok}
	read := []string{who, no, no, ok, ok, no, no, no, ok}
	spend := []string{who, no, no, no, no, no, ok, no, ok}
	rule := []string{who, no, no, no, no, no, no, no, ok}
	for _, row := range []struct {
		method, path string
		body         []any
		want         []string
	}{
		{"GET", "balance", nil, see}, {"GET", "status", nil, see},
		{"GET", "ledger", nil, read}, {"GET", "usage", nil, read}, {"GET", "usage/summary", nil, read},
		{"POST", "use", []any{"amount", 1}, spend},
		{"POST", "use/batch", []any{"uses", []any{map[string]any{"amount": 1}}}, spend},
		{"POST", "adjust", []any{"amount", 1, "description", "a gift"}, rule},
		{"POST", "mint", []any{"amount", 1}, rule},
	} {
		for i, caller := range callers {
			body := ""
			if row.method == "POST" {
				body = object(append(row.body, "subjectType", "organization", "subjectId", c.id)...)
			}
			if got := c.do(row.method, "/api/wallet/"+row.path+ofCompany, caller.as, body); got.outcome() != row.want[i] {
				t.Errorf("%s %s as %s: %s, want %s: %s", row.method, row.path, caller.name, got.outcome(), row.want[i], got.body)
			}
		}
	}
	hold := c.do("POST", "/api/wallet/holds", keyOf(c.member, apikeys.ScopeWalletCharge),
		object("amount", 5, "subjectType", "organization", "subjectId", c.id)).want(201).text("hold.id")
	c.do("POST", "/api/wallet/holds/"+hold+"/settle", keyOf(c.other, apikeys.ScopeWalletCharge), object("amount", 5)).wantOutcome("404 hold_not_found")
	c.do("POST", "/api/wallet/holds/"+hold+"/settle", keyOf(c.member, apikeys.ScopeWalletCharge), object("amount", 5)).want(200)
	c.do("GET", "/api/wallet/balance?subjectType=organization&subjectId=nowhere", c.asAlice(), "").wantOutcome(no)
}

// A member who left is out at the next request, and so is everybody when the
// organisation is deleted.
func TestAMembershipEndsAtOnce(t *testing.T) {
	c := newCompany(t)
	balance := "/api/wallet/balance?subjectType=organization&subjectId=" + c.id
	c.do("GET", balance, c.token(c.member), "").want(200)
	c.do("DELETE", c.seatOf(c.member), c.token(c.member), "").want(204)
	c.do("GET", balance, c.token(c.member), "").wantOutcome("403 forbidden")
	c.do("GET", balance, c.token(c.admin), "").want(200)
	c.do("DELETE", organizationRecords+"/"+c.id, c.asAlice(), "").want(204)
	c.do("GET", balance, c.token(c.admin), "").wantOutcome("403 forbidden")
	c.do("GET", balance, c.asAlice(), "").wantOutcome("403 forbidden")
	if n := c.count("wallets", "id = {:id}", "id", c.id); n != 1 {
		t.Errorf("%d wallets are left", n)
	}
	c.do("POST", organizationRecords, c.asRoot(), object("id", c.id, "name", "Acme again")).wantOutcome("400").names("wallet")
}

func TestWhoManagesMembers(t *testing.T) {
	c := newCompany(t)
	otherCompany := c.do("POST", organizationRecords, c.token(c.other), object("name", "Other")).want(200).text("id")
	// the member owns a company of their own, which gives them nothing in this one
	c.do("POST", organizationRecords, c.token(c.member), object("name", "Side")).want(200)
	admin, member, other, owner := c.token(c.admin), c.token(c.member), c.token(c.other), c.asAlice()
	before := c.snapshot("organizations", "memberships")
	for _, attempt := range []struct {
		rule string
		got  func() answer
	}{
		{"a member adds nobody", func() answer { return c.appoint(member, c.id, c.bob, roleMember) }},
		{"a stranger adds nobody", func() answer { return c.appoint(other, c.id, c.other, roleMember) }},
		{"nor themselves as owner", func() answer { return c.appoint(other, c.id, c.other, roleOwner) }},
		{"an admin appoints no admin", func() answer { return c.appoint(admin, c.id, c.bob, roleAdmin) }},
		{"an admin appoints no owner", func() answer { return c.appoint(admin, c.id, c.bob, roleOwner) }},
		{"an owner adds nobody elsewhere", func() answer { return c.appoint(owner, otherCompany, c.bob, roleMember) }},
		{"nobody is added twice", func() answer { return c.appoint(owner, c.id, c.member, roleAdmin) }},
		{"a role is one of three", func() answer { return c.appoint(owner, c.id, c.bob, "king") }},
		{"an admin promotes nobody", func() answer { return c.do("PATCH", c.seatOf(c.admin), admin, object("role", "owner")) }},
		{"a member promotes nobody", func() answer { return c.do("PATCH", c.seatOf(c.member), member, object("role", "owner")) }},
		{"an admin demotes no owner", func() answer { return c.do("PATCH", c.seatOf(c.alice), admin, object("role", "member")) }},
		{"the last owner is not demoted", func() answer { return c.do("PATCH", c.seatOf(c.alice), owner, object("role", "member")) }},
		{"nor by a superuser", func() answer { return c.do("PATCH", c.seatOf(c.alice), c.asRoot(), object("role", "member")) }},
		{"the last owner stays", func() answer { return c.do("DELETE", c.seatOf(c.alice), owner, "") }},
		{"an admin removes no owner", func() answer { return c.do("DELETE", c.seatOf(c.alice), admin, "") }},
		{"a member removes nobody", func() answer { return c.do("DELETE", c.seatOf(c.admin), member, "") }},
		{"a stranger removes nobody", func() answer { return c.do("DELETE", c.seatOf(c.member), other, "") }},
		{"a seat does not move to another company", func() answer {
			return c.do("PATCH", c.seatOf(c.member), owner, object("organization", otherCompany))
		}},
		{"nor to another user, by a superuser", func() answer { return c.do("PATCH", c.seatOf(c.member), c.asRoot(), object("user", c.bob.Id)) }},
		{"a member renames nothing", func() answer { return c.do("PATCH", organizationRecords+"/"+c.id, member, object("name", "x")) }},
		{"an admin deletes nothing", func() answer { return c.do("DELETE", organizationRecords+"/"+c.id, admin, "") }},
		{"a stranger deletes nothing", func() answer { return c.do("DELETE", organizationRecords+"/"+c.id, other, "") }},
		{"a key does nothing here", func() answer {
			return c.do("POST", organizationRecords, bearer(c.key(apikeys.ScopeWalletCharge)), object("name", "x"))
		}},
	} {
		if got := attempt.got(); got.status < 400 {
			t.Errorf("%s: %d %s", attempt.rule, got.status, got.body)
		}
	}
	c.unchanged(before)

	c.do("PATCH", organizationRecords+"/"+c.id, admin, object("name", "Renamed")).want(200)
	c.appoint(admin, c.id, c.bob, roleMember).want(200)
	c.do("DELETE", c.seatOf(c.bob), admin, "").want(204)
	c.do("PATCH", c.seatOf(c.admin), owner, object("role", "owner")).want(200)
	c.do("DELETE", c.seatOf(c.alice), owner, "").want(204)
}

func TestTheOnlyOwnerMayDeleteTheirAccount(t *testing.T) {
	c := newCompany(t)
	c.do("DELETE", "/api/collections/users/records/"+c.alice.Id, c.asAlice(), "").want(204)
	if n := c.count("memberships", "organization = {:id}", "id", c.id); n != 2 {
		t.Errorf("%d members are left, want 2", n)
	}
}

func TestAMemberSeesTheirOrganizationsWalletByTheSDK(t *testing.T) {
	c := newCompany(t)
	wallet := "/api/collections/wallets/records/" + c.id
	c.do("GET", wallet, c.token(c.member), "").want(200)
	c.do("GET", wallet, c.token(c.other), "").wantOutcome("404")
	c.do("GET", wallet, nobody, "").wantOutcome("404")
	c.do("GET", "/api/collections/wallets/records/"+c.other.Id, c.token(c.member), "").wantOutcome("404")
}

func TestOneUserOwnsSoManyOrganizations(t *testing.T) {
	h := newHouse(t)
	for i := range maxOwnedOrganizations {
		h.do("POST", organizationRecords, h.asAlice(), object("name", fmt.Sprint("Company ", i))).want(200)
	}
	h.do("POST", organizationRecords, h.asAlice(), object("name", "One more")).wantOutcome("400").names("20 organizations")
	owned, err := h.app.CountRecords("organizations")
	if err != nil || owned != maxOwnedOrganizations {
		t.Errorf("%d organizations (%v)", owned, err)
	}
}

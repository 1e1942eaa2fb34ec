package hooks

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
)

func TestWhatIsRefusedOfMembers(t *testing.T) {
	c := newCompany(t)
	otherCompany := c.found(c.other, "Other")
	// the member owns a company of their own, which gives them nothing in this one
	c.found(c.member, "Side")
	admin, member, other, owner, root := c.token(c.admin), c.token(c.member), c.token(c.other), c.asAlice(), c.asRoot()
	const unseen, lastOwner, owners = "The requested resource wasn't found.", "keeps an owner", "Only an owner appoints"
	before := c.snapshot("organizations", "memberships", "wallets", "entitlements")
	for _, attempt := range []struct {
		rule string
		got  answer
		want string
		says string
	}{
		{"a guest adds nobody", c.appoint(nobody, c.id, c.bob, roleMember), "400", ""},
		{"a member adds nobody", c.appoint(member, c.id, c.bob, roleMember), "400", ""},
		{"a stranger adds nobody", c.appoint(other, c.id, c.other, roleMember), "400", ""},
		{"nor themselves as owner", c.appoint(other, c.id, c.other, roleOwner), "400", ""},
		{"an admin appoints no admin", c.appoint(admin, c.id, c.bob, roleAdmin), "403", owners},
		{"an admin appoints no owner", c.appoint(admin, c.id, c.bob, roleOwner), "403", owners},
		{"an owner adds nobody elsewhere", c.appoint(owner, otherCompany, c.bob, roleMember), "400", ""},
		{"nobody is added twice", c.appoint(owner, c.id, c.member, roleAdmin), "400", "unique"},
		{"nor by a superuser", c.appoint(root, c.id, c.member, roleMember), "400", "unique"},
		{"a role is one of three", c.appoint(root, c.id, c.bob, "king"), "400", "role"},
		{"a user exists", c.do("POST", membershipRecords, owner, object("organization", c.id, "user", "nobody", "role", "member")), "400", "user"},

		{"an admin promotes not themselves", c.do("PATCH", c.seatOf(c.admin), admin, object("role", "owner")), "404", unseen},
		{"an admin promotes no member", c.do("PATCH", c.seatOf(c.member), admin, object("role", "admin")), "404", unseen},
		{"an admin demotes no owner", c.do("PATCH", c.seatOf(c.alice), admin, object("role", "member")), "404", unseen},
		{"a member promotes not themselves", c.do("PATCH", c.seatOf(c.member), member, object("role", "owner")), "404", unseen},
		{"another company's owner promotes nobody", c.do("PATCH", c.seatOf(c.member), other, object("role", "owner")), "404", unseen},
		{"the last owner is not demoted", c.do("PATCH", c.seatOf(c.alice), owner, object("role", "member")), "400", lastOwner},
		{"nor by a superuser", c.do("PATCH", c.seatOf(c.alice), root, object("role", "admin")), "400", lastOwner},
		{"a seat does not move to another company", c.do("PATCH", c.seatOf(c.member), owner, object("organization", otherCompany)), "400", "organization of a membership never changes"},
		{"nor to another user", c.do("PATCH", c.seatOf(c.member), owner, object("user", c.bob.Id)), "400", "user of a membership never changes"},
		{"nor by a superuser", c.do("PATCH", c.seatOf(c.member), root, object("user", c.bob.Id)), "400", "user of a membership never changes"},
		{"nor along with a role", c.do("PATCH", c.seatOf(c.admin), owner, object("role", "member", "organization", otherCompany)), "400", "never changes"},

		{"the last owner stays", c.do("DELETE", c.seatOf(c.alice), owner, ""), "400", lastOwner},
		{"nor is removed by a superuser", c.do("DELETE", c.seatOf(c.alice), root, ""), "400", lastOwner},
		{"an admin removes no owner", c.do("DELETE", c.seatOf(c.alice), admin, ""), "403", owners},
		{"a member removes nobody", c.do("DELETE", c.seatOf(c.admin), member, ""), "404", unseen},
		{"a stranger removes nobody", c.do("DELETE", c.seatOf(c.member), other, ""), "404", unseen},
		{"a guest removes nobody", c.do("DELETE", c.seatOf(c.member), nobody, ""), "404", unseen},

		{"a member renames nothing", c.do("PATCH", c.path(), member, object("name", "x")), "404", unseen},
		{"a stranger renames nothing", c.do("PATCH", c.path(), other, object("name", "x")), "404", unseen},
		{"an admin deletes nothing", c.do("DELETE", c.path(), admin, ""), "404", unseen},
		{"a stranger deletes nothing", c.do("DELETE", c.path(), other, ""), "404", unseen},
	} {
		if got := attempt.got.outcome(); got != attempt.want || !strings.Contains(string(attempt.got.body), attempt.says) {
			t.Errorf("%s: %s, want %s with %q: %s", attempt.rule, got, attempt.want, attempt.says, attempt.got.body)
		}
	}
	c.unchanged(before)
}

func TestWhatIsAllowedOfMembers(t *testing.T) {
	c := newCompany(t)
	admin, owner := c.token(c.admin), c.asAlice()
	c.do("PATCH", c.path(), admin, object("name", "Renamed")).want(200)
	c.do("PATCH", c.path(), owner, object("name", "Renamed again")).want(200)
	c.appoint(admin, c.id, c.bob, roleMember).want(200)
	c.do("DELETE", c.seatOf(c.bob), admin, "").want(204)
	c.appoint(c.asRoot(), c.id, c.bob, roleOwner).want(200)
	c.do("DELETE", c.seatOf(c.bob), c.asRoot(), "").want(204)
	c.do("PATCH", c.seatOf(c.alice), owner, object("role", "owner")).want(200) // as it was
	c.do("PATCH", c.seatOf(c.member), owner, object("role", "admin")).want(200)
	c.do("PATCH", c.seatOf(c.member), owner, object("role", "member")).want(200)
	c.do("PATCH", c.seatOf(c.admin), owner, object("role", "owner")).want(200)
	c.do("DELETE", c.seatOf(c.alice), owner, "").want(204) // not the last one any more
	c.do("DELETE", c.path(), owner, "").wantOutcome("404")
	c.do("DELETE", c.path(), admin, "").want(204) // an owner now
}

func TestWhoSeesMembers(t *testing.T) {
	c := newCompany(t)
	c.found(c.other, "Other")
	for _, row := range []struct {
		name                 string
		as                   credential
		members, companies   int
		ofSeat, ofTheCompany string
	}{
		{"guest", nobody, 0, 0, "404", "404"}, {"stranger", c.token(c.other), 1, 1, "404", "404"},
		{"member", c.token(c.member), 3, 1, "200", "200"}, {"admin", c.token(c.admin), 3, 1, "200", "200"},
		{"owner", c.asAlice(), 3, 1, "200", "200"}, {"superuser", c.asRoot(), 4, 2, "200", "200"},
	} {
		if got := c.do("GET", membershipRecords, row.as, "").want(200); got.length("items") != row.members || got.number("totalItems") != int64(row.members) {
			t.Errorf("%s sees the memberships %s, want %d", row.name, got.body, row.members)
		}
		if got := c.do("GET", organizationRecords, row.as, "").want(200); got.length("items") != row.companies {
			t.Errorf("%s sees the organizations %s, want %d", row.name, got.body, row.companies)
		}
		c.do("GET", c.seatOf(c.admin), row.as, "").wantOutcome(row.ofSeat)
		c.do("GET", c.path(), row.as, "").wantOutcome(row.ofTheCompany)
	}
}

// A key has no business with these collections, whatever its scopes and whosever it is.
func TestAKeyManagesNobody(t *testing.T) {
	c := newCompany(t)
	before := c.snapshot("organizations", "memberships")
	for _, scope := range []apikeys.Scope{apikeys.ScopeGateway, apikeys.ScopeWalletRead, apikeys.ScopeWalletCharge} {
		key := bearer(c.key(scope))
		for _, call := range []struct{ method, path, body string }{
			{"GET", organizationRecords, ""}, {"GET", c.path(), ""}, {"POST", organizationRecords, object("name", "x")},
			{"PATCH", c.path(), object("name", "x")}, {"DELETE", c.path(), ""},
			{"GET", membershipRecords, ""}, {"GET", c.seatOf(c.member), ""},
			{"POST", membershipRecords, object("organization", c.id, "user", c.bob.Id, "role", "member")},
			{"PATCH", c.seatOf(c.member), object("role", "admin")}, {"DELETE", c.seatOf(c.member), ""},
		} {
			c.do(call.method, call.path, key, call.body).want(403)
		}
	}
	c.unchanged(before)
}

// Whatever changes a membership holds from the next request on, for users and keys.
func TestAChangeOfMembershipHoldsAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		change         func(c company)
		balance, books string
	}{
		"promoted": {func(c company) { c.do("PATCH", c.seatOf(c.member), c.asAlice(), object("role", "admin")).want(200) }, "200", "200"},
		"left":     {func(c company) { c.do("DELETE", c.seatOf(c.member), c.token(c.member), "").want(204) }, "403 forbidden", "403 forbidden"},
		"removed":  {func(c company) { c.do("DELETE", c.seatOf(c.member), c.token(c.admin), "").want(204) }, "403 forbidden", "403 forbidden"},
		"removed by Go": {func(c company) {
			seat, err := c.app.FindRecordById(membershipsCollection, strings.TrimPrefix(c.seatOf(c.member), membershipRecords+"/"))
			if err != nil || c.app.Delete(seat) != nil {
				c.t.Fatal("the membership was not deleted", err)
			}
		}, "403 forbidden", "403 forbidden"},
		"company deleted": {func(c company) { c.do("DELETE", c.path(), c.asAlice(), "").want(204) }, "403 forbidden", "403 forbidden"},
		"removed in a batch": {func(c company) {
			c.enableBatch()
			c.do("POST", "/api/batch", c.asAlice(), object("requests", []any{batched("DELETE", c.seatOf(c.member), nil)})).want(200)
		}, "403 forbidden", "403 forbidden"},
		"nothing": {func(company) {}, "200", "403 forbidden"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			c.do("POST", "/api/wallet/mint", c.asRoot(), c.body("amount", 100)).want(200)
			member, key := c.token(c.member), c.keyOf(c.member, apikeys.ScopeWalletCharge)
			c.do("GET", c.walletPath("balance"), member, "").want(200)
			c.do("GET", c.walletPath("ledger"), member, "").wantOutcome("403 forbidden")
			c.do("POST", "/api/wallet/use", key, c.body("amount", 1)).want(200)
			test.change(c)
			c.do("GET", c.walletPath("balance"), member, "").wantOutcome(test.balance)
			c.do("GET", c.walletPath("ledger"), member, "").wantOutcome(test.books)
			c.do("POST", "/api/wallet/use", key, c.body("amount", 1)).wantOutcome(test.balance)
		})
	}
}

// Whoever was refused, and remembered as nobody, is let in once they belong.
func TestAnAppointmentHoldsAtOnce(t *testing.T) {
	c := newCompany(t)
	c.do("GET", c.walletPath("balance"), c.asBob(), "").wantOutcome("403 forbidden")
	c.appoint(c.asAlice(), c.id, c.bob, roleMember).want(200)
	c.do("GET", c.walletPath("balance"), c.asBob(), "").want(200)
}

// An account can always be deleted; the company goes on without its owner, and a
// superuser appoints the next.
func TestTheOnlyOwnerMayDeleteTheirAccount(t *testing.T) {
	c := newCompany(t)
	c.do("GET", c.walletPath("ledger"), c.asAlice(), "").want(200) // into the cache of roles
	c.do("DELETE", "/api/collections/users/records/"+c.alice.Id, c.asAlice(), "").want(204)
	if n := c.count("memberships", "organization = {:id}", "id", c.id); n != 2 {
		t.Errorf("%d members are left, want 2", n)
	}
	c.do("GET", c.walletPath("balance"), c.token(c.member), "").want(200)
	c.do("PATCH", c.seatOf(c.admin), c.asRoot(), object("role", "owner")).want(200)
	c.do("PATCH", c.seatOf(c.member), c.token(c.admin), object("role", "admin")).want(200)
}

// Owners who leave, demote themselves or remove each other at the same moment
// leave one behind.
func TestOwnersWhoLeaveTogetherLeaveOneBehind(t *testing.T) {
	c := newCompany(t)
	owners := []*core.Record{c.alice, c.admin, c.member}
	for _, user := range owners[1:] {
		c.do("PATCH", c.seatOf(user), c.asAlice(), object("role", "owner")).want(200)
	}
	var calls []*http.Request
	for i, user := range owners {
		as := c.token(user)
		calls = append(calls, c.request("DELETE", c.seatOf(user), as, ""), c.request("PATCH", c.seatOf(user), as, object("role", "member")),
			c.request("DELETE", c.seatOf(owners[(i+1)%len(owners)]), as, ""))
	}
	var group sync.WaitGroup
	for _, call := range calls {
		group.Go(func() {
			response, err := c.srv.Client().Do(call)
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
		})
	}
	group.Wait()
	if n := c.count("memberships", "organization = {:id} AND role = 'owner'", "id", c.id); n != 1 {
		t.Errorf("%d owners are left, want 1", n)
	}
}

func TestAnOrganizationHasSoManyMembers(t *testing.T) {
	c := newCompany(t)
	c.mustExecute(`WITH RECURSIVE n(i) AS (SELECT 4 UNION ALL SELECT i + 1 FROM n WHERE i < {:max})
		INSERT INTO memberships (id, organization, user, role) SELECT 'seat' || i, {:id}, 'user' || i, 'member' FROM n`,
		"max", maxMembers, "id", c.id)
	c.appoint(c.asAlice(), c.id, c.bob, roleMember).wantOutcome("400").names("1000 members")
	c.do("DELETE", membershipRecords+"/seat7", c.asAlice(), "").want(204)
	c.appoint(c.asAlice(), c.id, c.bob, roleMember).want(200)
}

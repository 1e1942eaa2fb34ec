package hooks

import (
	"slices"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/apikeys"
)

// keyOf makes a key of any user's.
func (h *house) keyOf(user *core.Record, scopes ...apikeys.Scope) credential {
	h.t.Helper()
	owner := *h
	owner.alice = user
	return bearer(owner.key(scopes...))
}

// companyCallers are the ways to call for an organisation's wallet, in the order
// of the columns below.
var companyCallers = []struct {
	name string
	as   func(company) credential
}{
	{"guest", func(company) credential { return nobody }},
	{"other", func(c company) credential { return c.token(c.other) }},
	{"member", func(c company) credential { return c.token(c.member) }},
	{"admin", func(c company) credential { return c.token(c.admin) }},
	{"owner", func(c company) credential { return c.asAlice() }},
	{"other's key", func(c company) credential {
		return c.keyOf(c.other, apikeys.ScopeGateway, apikeys.ScopeWalletRead, apikeys.ScopeWalletCharge)
	}},
	{"member's gateway key", func(c company) credential { return c.keyOf(c.member, apikeys.ScopeGateway) }},
	{"member's reading key", func(c company) credential { return c.keyOf(c.member, apikeys.ScopeWalletRead) }},
	{"member's charge key", func(c company) credential { return c.keyOf(c.member, apikeys.ScopeWalletCharge) }},
	{"admin's reading key", func(c company) credential { return c.keyOf(c.admin, apikeys.ScopeWalletRead) }},
	{"admin's charge key", func(c company) credential { return c.keyOf(c.admin, apikeys.ScopeWalletCharge) }},
	{"superuser", func(c company) credential { return c.asRoot() }},
}

// Who may do what on an organisation's wallet: the outcome of each caller.
//
//	guest, other, member, admin, owner; other's key; member's gateway, reading, charge key; admin's reading, charge key; superuser
var (
	companySee     = outcomes("401 403 200 200 200  403  403 200 403  200 403  200")
	companyRead    = outcomes("401 403 403 200 200  403  403 403 403  200 403  200")
	companySpend   = outcomes("401 403 403 403 403  403  403 403 200  403 200  200")
	companyHolds   = outcomes("401 403 403 403 403  403  403 403 403  403 200  200")
	companyOneHold = outcomes("401 403 403 403 403  404  403 403 200  403 200  200")
	companyRule    = outcomes("401 403 403 403 403  403  403 403 403  403 403  200")
)

// outcomes writes a row of the matrix in full.
func outcomes(row string) []string {
	codes := map[string]string{"401": "401 unauthorized", "403": "403 forbidden", "404": "404 hold_not_found"}
	columns := strings.Fields(row)
	for i, status := range columns {
		if code, refused := codes[status]; refused {
			columns[i] = code
		}
	}
	return columns
}

// companyRow is one wallet route; path is what makes a fresh path where the route
// names a row, and body a fresh body.
type companyRow struct {
	route string
	want  []string
	path  func(company) string
	body  func(company) string
}

func withBody(pairs ...any) func(company) string {
	return func(c company) string { return c.body(pairs...) }
}

// unnamed leaves the wallet out: a hold knows whose it is.
func unnamed(pairs ...any) func(company) string {
	return func(company) string { return object(pairs...) }
}

func onCompanyHold(verb string) func(company) string {
	return func(c company) string {
		hold := c.do("POST", "/api/wallet/holds", c.asRoot(), c.body("amount", 1)).want(201).text("hold.id")
		return "/api/wallet/holds/" + hold + "/" + verb
	}
}

var companyMatrix = []companyRow{
	{route: "GET /api/wallet/balance", want: companySee},
	{route: "GET /api/wallet/status", want: companySee},
	{route: "GET /api/wallet/ledger", want: companyRead},
	{route: "GET /api/wallet/usage", want: companyRead},
	{route: "GET /api/wallet/usage/summary", want: companyRead},
	{route: "GET /api/wallet/statement", want: companyRead},
	{route: "GET /api/wallet/holds", want: companyHolds},
	{route: "POST /api/wallet/use", want: companySpend, body: withBody("amount", 1)},
	{route: "POST /api/wallet/use/batch", want: companySpend, body: withBody("uses", []any{map[string]any{"amount": 1}})},
	{route: "POST /api/wallet/holds", want: created(companySpend), body: withBody("amount", 1)},
	{route: "POST /api/wallet/holds/{id}/extend", want: companySpend, path: onCompanyHold("extend"), body: withBody("amount", 1)},
	{route: "POST /api/wallet/holds/{id}/settle", want: companySpend, path: onCompanyHold("settle"), body: withBody("amount", 1)},
	{route: "POST /api/wallet/holds/{id}/release", want: companySpend, path: onCompanyHold("release"), body: withBody()},
	{route: "POST /api/wallet/holds/{id}/extend", want: companyOneHold, path: onCompanyHold("extend"), body: unnamed("amount", 1)},
	{route: "POST /api/wallet/holds/{id}/settle", want: companyOneHold, path: onCompanyHold("settle"), body: unnamed("amount", 1)},
	{route: "POST /api/wallet/holds/{id}/release", want: companyOneHold, path: onCompanyHold("release"), body: unnamed()},
	{route: "POST /api/wallet/mint", want: companyRule, body: withBody("amount", 1)},
	{route: "POST /api/wallet/adjust", want: companyRule, body: withBody("amount", 1, "description", "a gift")},
	{route: "POST /api/wallet/refund", want: companyRule, body: func(c company) string {
		entry := c.do("POST", "/api/wallet/use", c.asRoot(), c.body("amount", 1)).want(200).text("ledgerEntry.id")
		return c.body("ledgerId", entry)
	}},
	{route: "POST /api/wallet/freeze", want: companyRule, body: withBody("reason", "a test")},
	{route: "POST /api/wallet/unfreeze", want: companyRule, body: withBody("reason", "a test")},
}

func created(row []string) []string {
	row = slices.Clone(row)
	for i := range row {
		row[i] = strings.Replace(row[i], "200", "201", 1)
	}
	return row
}

func TestRolesOnAnOrganizationsWallet(t *testing.T) {
	c := newCompany(t)
	c.do("POST", "/api/wallet/mint", c.asRoot(), c.body("amount", 1000)).want(200)
	callers := make([]credential, len(companyCallers))
	for i, caller := range companyCallers {
		callers[i] = caller.as(c)
	}
	for _, row := range companyMatrix {
		method, route, _ := strings.Cut(row.route, " ")
		if len(row.want) != len(callers) {
			t.Fatalf("%s has %d columns, want %d", row.route, len(row.want), len(callers))
		}
		for i, as := range callers {
			path, body := c.walletPath(strings.TrimPrefix(route, "/api/wallet/")), ""
			if row.path != nil {
				path = row.path(c)
			}
			if row.body != nil {
				body = row.body(c)
			}
			money := c.snapshot("wallets", "wallet_ledger", "wallet_holds")
			got := c.do(method, path, as, body)
			if got.outcome() != row.want[i] {
				t.Errorf("%s as %s: %s, want %s: %s", row.route, companyCallers[i].name, got.outcome(), row.want[i], got.body)
			}
			if got.status >= 400 {
				c.unchanged(money)
			}
		}
	}
	for _, user := range []*core.Record{c.alice, c.admin, c.member, c.other} {
		if c.count("wallet_ledger", "subject_id = {:id}", "id", user.Id) != 0 {
			t.Errorf("%s was charged for the organization", user.Email())
		}
	}
}

// A new wallet route says what it does with an organisation's wallet.
func TestEveryWalletRouteHasARowForOrganizations(t *testing.T) {
	for _, row := range roleMatrix {
		if strings.HasPrefix(row.path, "/api/wallet/") &&
			!slices.ContainsFunc(companyMatrix, func(r companyRow) bool { return r.route == row.route() }) {
			t.Errorf("%s has no row in companyMatrix", row.route())
		}
	}
}

// Without a name, a member's key charges the member.
func TestAKeyThatNamesNoWalletChargesItsOwner(t *testing.T) {
	c := newCompany(t)
	c.do("POST", "/api/wallet/mint", c.asRoot(), c.body("amount", 100)).want(200)
	c.mint(c.member, 50)
	key := c.keyOf(c.member, apikeys.ScopeWalletCharge)
	c.do("POST", "/api/wallet/use", key, object("amount", 7)).want(200)
	c.do("POST", "/api/wallet/use", key, c.body("amount", 9)).want(200)
	if got := c.balance(c.member); got != 43 {
		t.Errorf("the member has %d, want 43", got)
	}
	if got := c.do("GET", c.walletPath("balance"), c.asRoot(), "").want(200).number("balance"); got != 91 {
		t.Errorf("the organization has %d, want 91", got)
	}
}

// What a member's key says that it used beyond its hold is bounded like a use: a
// settlement is no way to put any debt on the organisation.
func TestAMembersSettlementStaysWithinItsBounds(t *testing.T) {
	c := newCompany(t)
	c.do("POST", "/api/wallet/mint", c.asRoot(), c.body("amount", 100)).want(200)
	secret, _ := c.keyWith(map[string]any{
		"user": c.member.Id, "scopes": []apikeys.Scope{apikeys.ScopeWalletCharge}, "spend_limit_tokens": 60,
	})
	limited, free := bearer(secret), c.keyOf(c.member, apikeys.ScopeWalletCharge)
	open := func(as credential) string {
		return "/api/wallet/holds/" + c.do("POST", "/api/wallet/holds", as, c.body("amount", 1)).want(201).text("hold.id")
	}
	hold, another := open(limited), open(free)
	before := c.snapshot("wallets", "wallet_ledger", "wallet_holds", "api_key_spending")
	c.do("POST", hold+"/settle", limited, object("amount", 1_000_000_000_000_000)).wantOutcome("402 insufficient_balance")
	c.do("POST", another+"/settle", free, object("amount", 100)).wantOutcome("402 insufficient_balance")
	c.do("POST", hold+"/settle", limited, object("amount", 61)).wantOutcome("403 spend_limit_reached")
	c.do("POST", hold+"/settle", free, object("amount", 2)).wantOutcome("403 spend_limit_reached")
	c.unchanged(before)
	c.do("POST", hold+"/settle", limited, object("amount", 60)).want(200)
	c.do("POST", another+"/settle", c.asRoot(), c.body("amount", 50)).want(200) // an operator's cost is real
	if got := c.do("GET", c.walletPath("balance"), c.asRoot(), "").want(200).number("balance"); got != -10 {
		t.Errorf("the organization has %d, want -10", got)
	}
}

// Nobody learns from a refusal whether an organisation, or its hold, exists.
func TestARefusalTellsNothing(t *testing.T) {
	c := newCompany(t)
	missing := c
	missing.id = strings.Repeat("x", 15)
	key := c.keyOf(c.other, apikeys.ScopeWalletCharge)
	for _, call := range []func(company) answer{
		func(c company) answer { return c.do("GET", c.walletPath("balance"), c.token(c.other), "") },
		func(c company) answer { return c.do("GET", c.walletPath("ledger"), c.token(c.other), "") },
		func(c company) answer { return c.do("POST", "/api/wallet/use", key, c.body("amount", 1)) },
		func(c company) answer { return c.do("POST", "/api/wallet/holds", key, c.body("amount", 1)) },
		func(c company) answer {
			return c.do("GET", "/api/wallet/balance?subjectType=user&subjectId="+c.id, c.token(c.other), "")
		},
	} {
		there, nowhere := call(c), call(missing)
		there.wantOutcome("403 forbidden").names("This is not your wallet.")
		if string(there.body) != string(nowhere.body) {
			t.Errorf("%s tells them apart: %s, %s", there.request, there.body, nowhere.body)
		}
	}
	c.do("POST", "/api/wallet/mint", c.asRoot(), c.body("amount", 1)).want(200)
	path := onCompanyHold("settle")(c)
	there, nowhere := c.do("POST", path, key, object("amount", 1)), c.do("POST", "/api/wallet/holds/nothing/settle", key, object("amount", 1))
	if there.wantOutcome("404 hold_not_found"); string(there.body) != string(nowhere.body) {
		t.Errorf("a hold is told apart: %s, %s", there.body, nowhere.body)
	}
}

// An id says whose a wallet is only together with its type.
func TestAnIDOfTheOtherTypeOpensNothing(t *testing.T) {
	c := newCompany(t)
	key := c.keyOf(c.alice, apikeys.ScopeWalletRead, apikeys.ScopeWalletCharge)
	for _, subject := range []struct{ kind, id string }{{"user", c.id}, {"organization", c.alice.Id}} {
		for name, as := range map[string]credential{"owner": c.asAlice(), "owner's key": key} {
			for _, route := range []string{"balance", "ledger"} {
				got := c.do("GET", "/api/wallet/"+route+"?subjectType="+subject.kind+"&subjectId="+subject.id, as, "")
				if got.outcome() != "403 forbidden" {
					t.Errorf("%s of the %s %s as %s: %s", route, subject.kind, subject.id, name, got.body)
				}
			}
		}
		c.do("POST", "/api/wallet/use", key, object("subjectType", subject.kind, "subjectId", subject.id, "amount", 1)).wantOutcome("403 forbidden")
	}
}

package hooks

import (
	"net/http"
	"testing"

	"sokuji/internal/apikeys"
)

// The first valid credential wins: token, session, key, cookie.
func TestTheFirstValidCredentialWins(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	bobs := h.signIn(bobEmail, testPassword)
	alices := cookie(h.aliceSession().signed, trustedOrigin)
	key := h.defaultKey()
	both := func(credentials ...credential) credential {
		return combined(credentials)
	}
	for _, c := range []struct {
		rule string
		as   credential
		want string
	}{
		{"a token beats a cookie", both(h.asBob(), alices), h.bob.Id},
		{"a raw session beats a cookie", both(bearer(bobs.raw), alices), h.bob.Id},
		{"a signed session beats a cookie", both(bearer(bobs.signed), alices), h.bob.Id},
		{"a session beats a key", both(bearer(bobs.raw), xAPIKey(key)), h.bob.Id},
		{"a key that is none leaves it to the cookie", both(xAPIKey("sk-sokuji-nothing"), alices), h.alice.Id},
		{"a session that is none leaves it to the cookie", both(bearer("0123456789abcdef0123456789ABCDEF"), alices), h.alice.Id},
		{"a broken token leaves it to the cookie", both(bearer("a.b.c"), alices), h.alice.Id},
		{"a token without its scheme works", func(r *http.Request) { r.Header.Set("Authorization", bobs.raw) }, h.bob.Id},
		{"the scheme's case does not matter", func(r *http.Request) { r.Header.Set("Authorization", "bEaReR "+bobs.raw) }, h.bob.Id},
	} {
		t.Run(c.rule, func(t *testing.T) {
			got := h.do("GET", "/api/user/profile", c.as, "").want(200).text("user.id")
			if got != c.want {
				t.Errorf("the caller is %s, want %s", got, c.want)
			}
		})
	}
}

// A key beats a cookie, so it also keeps the cookie's user out.
func TestAKeyBeatsACookie(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	as := combined([]credential{xAPIKey(h.defaultKey()), cookie(h.aliceSession().signed, trustedOrigin)})
	h.do("GET", "/api/user/profile", as, "").wantOutcome("403 forbidden")
}

func TestASuperuserIsNeverTakenFromACookie(t *testing.T) {
	h := newHouse(t)
	token, err := h.root.NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"a token": token, "a token signed like a session": sign(token)} {
		t.Run(name, func(t *testing.T) {
			h.do("GET", "/api/wallet/balance?userId="+h.alice.Id, cookie(value, trustedOrigin), "").
				wantOutcome("401 unauthorized")
			h.do("GET", "/api/collections/audit_log/records", cookie(value, trustedOrigin), "").wantOutcome("403")
		})
	}
}

// Names that differ from one's own are refused however they are given.
func TestNobodyReadsAnotherWallet(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	h.mint(h.bob, 2000)
	for _, c := range []struct {
		rule, query string
		as          credential
		want        string
	}{
		{"by userId", "userId=" + h.alice.Id, h.asBob(), "403 forbidden"},
		{"by subject", "subjectType=user&subjectId=" + h.alice.Id, h.asBob(), "403 forbidden"},
		{"as an organization with one's own id", "subjectType=organization&subjectId=" + h.bob.Id, h.asBob(), "403 forbidden"},
		{"with a key", "userId=" + h.bob.Id, bearer(h.key(apikeys.ScopeWalletRead)), "403 forbidden"},
		{"two names that differ", "userId=" + h.bob.Id + "&subjectType=user&subjectId=" + h.alice.Id, h.asBob(), "400 invalid_request"},
		{"half a subject", "subjectId=" + h.alice.Id, h.asBob(), "400 invalid_request"},
		{"one's own by subject", "subjectType=user&subjectId=" + h.bob.Id, h.asBob(), "200"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			for _, path := range []string{"balance", "status", "ledger", "usage"} {
				h.do("GET", "/api/wallet/"+path+"?"+c.query, c.as, "").wantOutcome(c.want)
			}
		})
	}
}

// A charge key acts on its owner's wallet, whether it names it or not.
func TestAChargeKeyChargesItsOwnerOnly(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	h.mint(h.bob, 1000)
	key := bearer(h.key(apikeys.ScopeWalletCharge))
	h.do("POST", "/api/wallet/use", key, object("amount", 10)).want(200)
	h.do("POST", "/api/wallet/use", key, object("amount", 10, "userId", h.bob.Id)).wantOutcome("403 forbidden")
	h.do("POST", "/api/wallet/use", key, object("amount", 5000, "allowNegative", true)).wantOutcome("403 forbidden")
	if alice, bob := h.balance(h.alice), h.balance(h.bob); alice != 990 || bob != 1000 {
		t.Errorf("balances are %d and %d, want 990 and 1000", alice, bob)
	}
}

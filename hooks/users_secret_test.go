package hooks

import (
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/tools/security"
)

// The dashboard's "Invalidate all previously issued tokens" of the users ends what
// they have open by either road, a superuser's token not.
func TestANewSecretOfTheUsersEndsAllSessions(t *testing.T) {
	for name, change := range map[string]string{
		"a new secret":              object("authToken", map[string]any{"secret": security.RandomString(50)}),
		"another rule for sign-ins": object("authRule", "verified = true || verified = false"),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			alice, root := h.aliceSession(), h.asRoot()
			bob := h.signIn(bobEmail, testPassword)
			token := h.byPassword().want(200).text("token")
			owned := "wallets/" + h.alice.Id
			ended := h.listen(bearer(alice.raw), owned, "plans/*")
			endedToken := h.listen(bearer(token), owned, "plans/*")
			oneTime := h.oneTimeToken(bearer(alice.raw))
			for _, raw := range []string{alice.raw, token, bob.raw} {
				if !h.works(raw) {
					t.Fatal("a session does not work from the beginning")
				}
			}

			h.do("PATCH", "/api/collections/users", root, change).want(200)

			for name, as := range map[string]credential{
				"bearer": bearer(alice.raw), "signed bearer": bearer(alice.signed), "cookie": cookie(alice.signed, ""),
				"PocketBase token": bearer(token), "another user": bearer(bob.raw),
			} {
				if got := h.do("GET", "/api/wallet/balance", as, ""); got.status != 401 {
					t.Errorf("%s: %s", name, got.outcome())
				}
			}
			if body := string(h.do("GET", "/api/auth/get-session", cookie(alice.signed, ""), "").want(200).body); body != "null" {
				t.Errorf("the cookie shows %s", body)
			}
			h.useOneTimeToken(oneTime).wantOutcome("400 INVALID_TOKEN")
			if rows := h.columns("sessions", "id"); len(rows) > 0 { // so it is after a restart, too
				t.Errorf("rows of sessions are left: %v", rows)
			}
			h.mint(h.alice, 1234)
			h.do("PATCH", "/api/collections/plans/records/free_plan", root, object("price_cents", 1)).want(200)
			for _, s := range []stream{ended, endedToken} {
				if event := h.next(s); !strings.HasPrefix(event, "plans/* ") {
					t.Errorf("an ended session hears %s", event)
				}
			}
			if !h.works(h.aliceSession().raw) || !h.works(h.byPassword().want(200).text("token")) {
				t.Error("a new sign-in opens nothing")
			}
		})
	}
}

// Any other change of the collection ends nobody's session.
func TestOtherSettingsOfTheUsersEndNoSession(t *testing.T) {
	h := newHouse(t)
	alice, token := h.aliceSession(), h.byPassword().want(200).text("token")
	h.do("PATCH", "/api/collections/users", h.asRoot(), object("authToken", map[string]any{"duration": 3600})).want(200)
	if !h.works(alice.raw) || !h.works(token) {
		t.Error("a session is over")
	}
}

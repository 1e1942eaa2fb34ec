package hooks

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"
	"github.com/pocketbase/pocketbase/tools/security"

	"sokuji/internal/accounts"
	"sokuji/internal/betterauth"
)

// expiredToken is a token as mailed an hour ago and more.
func (h *house) expiredToken(record *core.Record, kind string) string {
	h.t.Helper()
	secret := record.Collection().EmailChangeToken.Secret
	switch kind {
	case core.TokenTypePasswordReset:
		secret = record.Collection().PasswordResetToken.Secret
	case core.TokenTypeVerification:
		secret = record.Collection().VerificationToken.Secret
	}
	token, err := security.NewJWT(map[string]any{
		core.TokenClaimType: kind, core.TokenClaimId: record.Id, core.TokenClaimCollectionId: record.Collection().Id,
		core.TokenClaimEmail: record.Email(), core.TokenClaimNewEmail: "new@example.com",
	}, record.TokenKey()+secret, -time.Minute)
	if err != nil {
		h.t.Fatal(err)
	}
	return token
}

// Without the password only a session of less than a day deletes its user.
func TestDeletingNeedsAYoungSessionOrThePassword(t *testing.T) {
	h := newHouse(t)
	s := h.aliceSession()
	h.mustExecute(`UPDATE sessions SET created_at = {:then} WHERE user = {:user}`,
		"then", storedTime(time.Now().Add(-freshSession-time.Minute)), "user", h.alice.Id)
	before := h.snapshot("users", "wallets", "app_user", "wallet_closings")
	h.do("POST", "/api/auth/delete-user", bearer(s.raw), object()).wantOutcome("400 SESSION_EXPIRED")
	h.do("POST", "/api/auth/delete-user", bearer(s.raw), object("password", "wrong password")).wantOutcome("400 INVALID_PASSWORD")
	h.do("POST", "/api/auth/delete-user", bearer(s.raw), object("token", "any")).wantOutcome("404 INVALID_TOKEN")
	h.do("POST", "/api/auth/delete-user", bearer(s.raw), object("token", "any", "password", testPassword)).wantOutcome("404 INVALID_TOKEN")
	h.unchanged(before)
	h.do("POST", "/api/auth/delete-user", bearer(s.raw), object("password", testPassword)).want(200)
	if h.count("users", "id = {:id}", "id", h.alice.Id) != 0 {
		t.Error("the user is still there")
	}
}

// What payment providers sent about a user goes with them, but for the ids of the
// events; what they sent about others stays.
func TestDeletingEmptiesTheUsersWebhooks(t *testing.T) {
	h := newHouse(t)
	for id, user := range map[string]string{"hook1": h.alice.Id, "hook2": h.bob.Id} {
		h.mustExecute(`INSERT INTO webhook_logs (id, event_id, event_type, user_id, raw_payload, headers, error_message, webhook_signature, ip_address)
			VALUES ({:id}, 'evt_'||{:id}, 'payment', {:user}, '{"email":"x"}', '{"a":"b"}', 'failed', 'sig', '203.0.113.7')`, "id", id, "user", user)
	}
	const full = `raw_payload != '' AND headers IS NOT NULL AND ip_address != '' AND webhook_signature != '' AND error_message != ''`
	const empty = `user_id = '' AND raw_payload = '' AND headers IS NULL AND ip_address = '' AND webhook_signature = '' AND error_message = ''`
	h.do("DELETE", usersRoute+"records/"+h.alice.Id, h.asRoot(), "").want(204)
	if h.count("webhook_logs", "id = 'hook1' AND event_id = 'evt_hook1' AND "+empty) != 1 {
		t.Error("the user's webhook is not emptied")
	}
	if h.count("webhook_logs", "id = 'hook2' AND "+full) != 1 {
		t.Error("another's webhook changed")
	}
}

// What a crash left between a deletion and its freeze is caught up with at the next
// start.
func TestALeftClosingIsCarriedOut(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 10)
	err := h.app.RunInTransaction(func(tx core.App) error {
		return accounts.Remove(tx.DB(), accounts.Closing{UserID: h.alice.Id, Actor: "user:" + h.alice.Id})
	})
	if err != nil {
		t.Fatal(err)
	}
	h.mustExecute(`INSERT INTO wallet_closings (user_id, actor) VALUES ('nobody', 'system')`)
	h = h.restarted()
	if h.count("wallets", "id = {:id} AND frozen AND frozen_reason = 'deleted' AND balance_tokens = 10", "id", h.alice.Id) != 1 {
		t.Error("the wallet is not frozen")
	}
	if left := h.count("wallet_closings", "TRUE"); left != 0 {
		t.Errorf("%d notes are left", left)
	}
	if rows := h.count("audit_log", "action = 'wallet.freeze' AND actor = {:actor} AND reason = 'deleted'", "actor", "user:"+h.alice.Id); rows != 1 {
		t.Errorf("%d rows in the audit log", rows)
	}
}

// restarted is another server on a copy of the house's data.
func (h *house) restarted() *house {
	h.t.Helper()
	if _, err := h.app.NonconcurrentDB().NewQuery("PRAGMA wal_checkpoint(TRUNCATE)").Execute(); err != nil {
		h.t.Fatal(err)
	}
	app, err := tests.NewTestAppWithConfig(core.BaseAppConfig{DataDir: h.app.DataDir(), DBConnect: ConnectDatabase})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(app.Cleanup)
	again := &house{t: h.t, app: app, srv: httptest.NewUnstartedServer(nil), alice: h.alice, bob: h.bob, root: h.root}
	again.serve(map[string]string{"AUTH_RATE_LIMIT": "0", "SOKUJI_SECRET": testSecret})
	return again
}

// A deletion that fails leaves everything as it was.
func TestAFailingDeletionChangesNothing(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 10)
	h.mustExecute(`CREATE TRIGGER no_way BEFORE DELETE ON users BEGIN SELECT RAISE(ABORT, 'no'); END`)
	s := h.aliceSession()
	before := h.snapshot("users", "wallets", "app_user", "entitlements", "wallet_closings", "audit_log")
	if got := h.do("POST", "/api/auth/delete-user", bearer(s.raw), object("password", testPassword)); got.status < 400 {
		t.Errorf("the answer is %s", got.outcome())
	}
	h.unchanged(before)
	h.do("GET", "/api/user/profile", bearer(s.raw), "").want(200)
}

// The mark of a session that ends with the browser is the library's: signed, read
// under both names, and of no use as anything else.
func TestTheMarkNotToRemember(t *testing.T) {
	h := newHouse(t)
	s := h.aliceSession()
	mark := func(value string) credential {
		return func(r *http.Request) {
			cookie(s.signed, trustedOrigin)(r)
			r.Header.Set("Cookie", r.Header.Get("Cookie")+"; "+betterauth.DontRememberCookie+"="+value)
		}
	}
	for value, remembered := range map[string]bool{
		sign("true"): false, sign("false"): true, "true": true, "true.": true, sign("true") + "x": true, "": true,
	} {
		got := h.do("POST", "/api/auth/update-user", mark(strings.ReplaceAll(value, "=", "%3D")), object("name", "Alice")).want(200)
		if session := got.header.Values("Set-Cookie")[0]; strings.Contains(session, "Max-Age=604800") != remembered {
			t.Errorf("with the mark %q the session comes as %s", value, session)
		}
	}
	h.do("GET", "/api/user/profile", func(r *http.Request) {
		r.Header.Set("Cookie", betterauth.SessionTokenCookie+"="+sign("true"))
	}, "").want(401)
}

// A deletion inside a batch closes the wallet when the batch is through, and a batch
// that fails closes nothing.
func TestADeletionInABatchClosesTheWallet(t *testing.T) {
	h := newHouse(t)
	h.enableBatch()
	remove := func(id string) any { return batched("DELETE", "/api/collections/users/records/"+id, nil) }
	before := h.snapshot("users", "wallets", "wallet_closings", "audit_log")
	h.do("POST", "/api/batch", h.asRoot(), object("requests", []any{remove(h.alice.Id), remove("nobodynobodyno")})).wantOutcome("400")
	h.unchanged(before)
	h.do("POST", "/api/batch", h.asRoot(), object("requests", []any{remove(h.alice.Id), remove(h.bob.Id)})).want(200)
	if closed := h.count("wallets", "frozen AND frozen_reason = 'deleted'"); closed != 2 {
		t.Errorf("%d wallets are closed, want 2", closed)
	}
	if left := h.count("wallet_closings", "TRUE"); left != 0 {
		t.Errorf("%d notes are left", left)
	}
	if rows := h.count("audit_log", "action = 'wallet.freeze' AND actor = {:actor}", "actor", "superuser:"+h.root.Id); rows != 2 {
		t.Errorf("%d freezes by the superuser are in the audit log, want 2", rows)
	}
}

package hooks

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

	"sokuji/internal/accounts"
)

// Every token that PocketBase hands out has a row that shows it, and a superuser
// who deletes the row ends it on every route.
func TestEveryRoadOpensASessionThatEnds(t *testing.T) {
	for road, enter := range tokenRoads {
		t.Run(road, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			got := enter(h).want(200)
			token := got.text("token")
			if got.text("record.id") != h.alice.Id || !h.works(token) {
				t.Fatalf("the token does not work: %s", got.body)
			}
			h.wantSession(t, token, road)
			h.do("DELETE", "/api/collections/sessions/records/"+h.sessionOf(token), h.asRoot(), "").want(204)
			h.isDeadEverywhere(t, token)
		})
	}
}

// wantSession compares the row of a token with what is known of it.
func (h *house) wantSession(t *testing.T, token, road string) {
	t.Helper()
	row := h.do("GET", "/api/collections/sessions/records/"+h.sessionOf(token), h.asRoot(), "").want(200)
	kind := "pocketbase"
	if road == "impersonation" {
		kind = "impersonation"
	}
	facts, _ := readToken(token)
	expires := facts.expires.UTC().Format(rowTime)
	for column, want := range map[string]string{
		"user": h.alice.Id, "kind": kind, "ip_address": "127.0.0.1", "user_agent": "test agent", "expires_at": expires,
	} {
		if row.text(column) != want {
			t.Errorf("%s is %q, want %q", column, row.text(column), want)
		}
	}
	for _, column := range []string{"created_at", "updated_at", "last_used_at"} {
		if at, err := time.Parse(rowTime, row.text(column)); err != nil || !near(time.Until(at), 0) {
			t.Errorf("%s is %q", column, row.text(column))
		}
	}
}

// isDeadEverywhere tries a token on a route of every family.
func (h *house) isDeadEverywhere(t *testing.T, token string) {
	t.Helper()
	as := bearer(token)
	bare := func(r *http.Request) { r.Header.Set("Authorization", token) } // as the SDK sends it
	h.setBatch()
	for _, as := range []credential{as, bare} {
		h.do("GET", "/api/wallet/balance", as, "").wantOutcome("401 unauthorized")
		h.do("GET", "/api/user/profile", as, "").wantOutcome("401 unauthorized")
		h.do("GET", "/api/auth/list-sessions", as, "").wantOutcome("401 UNAUTHORIZED")
		h.do("POST", usersRoute+"auth-refresh", as, "").wantOutcome("401")
		h.do("POST", "/api/files/token", as, "").wantOutcome("401")
		h.do("PATCH", usersRoute+"records/"+h.alice.Id, as, object("name", "Mallory")).wantOutcome("404")
		h.do("POST", "/api/batch", as, object("requests", []any{
			map[string]any{"method": "PATCH", "url": usersRoute + "records/" + h.alice.Id, "body": map[string]any{"name": "Mallory"}},
		})).wantOutcome("400")
		if seen := listed(h.do("GET", "/api/collections/wallets/records", as, "")); seen != "0" {
			t.Errorf("the ended token sees %s wallets", seen)
		}
		if body := string(h.do("GET", "/api/auth/get-session", as, "").want(200).body); body != "null" {
			t.Errorf("the ended token has a session: %s", body)
		}
	}
	silent := h.listen(as, "wallets/*", "plans/*")
	h.mint(h.alice, 10)
	h.heardNothing(map[string]stream{"a guest": silent})
	if name := h.columns("users", "name"); slices.Contains(name, "Mallory") {
		t.Error("the ended token wrote")
	}
}

func (h *house) setBatch() {
	h.t.Helper()
	settings := h.app.Settings()
	settings.Batch.Enabled, settings.Batch.MaxRequests = true, 10
	if err := h.app.Save(settings); err != nil {
		h.t.Fatal(err)
	}
}

// A refresh makes another token of the same session.
func TestARefreshMovesItsSession(t *testing.T) {
	h := newHouse(t)
	first := h.byPassword().want(200).text("token")
	id := h.sessionOf(first)
	if _, err := h.app.NonconcurrentDB().NewQuery(`UPDATE sessions SET expires_at = {:at}, last_used_at = {:at} WHERE id = {:id}`).
		Bind(dbx.Params{"id": id, "at": time.Now().UTC().Add(time.Minute).Format(rowTime)}).Execute(); err != nil {
		t.Fatal(err)
	}
	got := h.do("POST", usersRoute+"auth-refresh", bearer(first), "").want(200)
	second := got.text("token")
	if h.sessionOf(second) != id {
		t.Errorf("the refreshed token names another session")
	}
	if rows := h.count("sessions", "user = {:user}", "user", h.alice.Id); rows != 1 {
		t.Errorf("there are %d rows, want 1", rows)
	}
	facts, _ := readToken(second)
	if left := h.left(); !near(left, time.Until(facts.expires)) {
		t.Errorf("the session lives %s, its token %s", left, time.Until(facts.expires))
	}
	if !h.works(first) || !h.works(second) {
		t.Error("a token is dead")
	}
	h.do("DELETE", "/api/collections/sessions/records/"+id, h.asRoot(), "").want(204)
	if h.works(first) || h.works(second) {
		t.Error("a token outlived its session")
	}
}

// An impersonation's token cannot be refreshed: it comes back as it is.
func TestAnImpersonationEndsWhenItWasToEnd(t *testing.T) {
	h := newHouse(t)
	token := h.byImpersonation().want(200).text("token")
	before := h.left()
	again := h.do("POST", usersRoute+"auth-refresh", bearer(token), "").want(200).text("token")
	if again != token || !near(h.left(), before) || !near(before, time.Hour) {
		t.Errorf("the token changed: %v; the session lives %s, then %s", again != token, before, h.left())
	}
	h.do("PATCH", "/api/collections/sessions/records/"+h.sessionOf(token), h.asRoot(), object("expires_at", "2020-01-01 00:00:00.000Z")).want(200)
	if h.works(token) {
		t.Error("an admin moved the expiry, and the token works")
	}
}

// A session of the Better Auth road refreshes to itself: PocketBase's SDK may hold
// its token too.
func TestARefreshLeavesAnotherRoadsSession(t *testing.T) {
	h := newHouse(t)
	s := h.aliceSession()
	if again := h.do("POST", usersRoute+"auth-refresh", bearer(s.raw), "").want(200).text("token"); again != s.raw {
		t.Errorf("the token became %q", again)
	}
	if rows := h.count("sessions", "kind = 'better_auth'"); rows != 1 || h.count("sessions", "TRUE") != 1 {
		t.Errorf("there are %d rows", rows)
	}
}

// A cookie beside a token that is none gets no token of PocketBase's.
func TestARefreshNeedsTheTokenThatItRenews(t *testing.T) {
	h := newHouse(t)
	s := h.aliceSession()
	ended := h.byPassword().want(200).text("token")
	h.do("DELETE", "/api/collections/sessions/records/"+h.sessionOf(ended), h.asRoot(), "").want(204)
	forged, err := security.NewJWT(map[string]any{core.TokenClaimRefreshable: true}, strings.Repeat("k", 50), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"an ended token": ended, "a forged one": forged} {
		as := combined([]credential{bearer(token), cookie(s.signed, trustedOrigin)})
		h.do("GET", "/api/user/profile", as, "").want(200) // the cookie is good
		if got := h.do("POST", usersRoute+"auth-refresh", as, ""); got.status != 401 || strings.Contains(string(got.body), "token\":") {
			t.Errorf("%s and a cookie: %d %s", name, got.status, got.body)
		}
	}
	if rows := h.count("sessions", "kind = 'better_auth' AND user = {:user}", "user", h.alice.Id); rows != 1 || h.count("sessions", "user = {:user}", "user", h.alice.Id) != 1 {
		t.Errorf("sessions were made")
	}
}

// The first step of two opens nothing, and the last step one session.
func TestASecondFactorComesBeforeTheSession(t *testing.T) {
	h := newHouse(t)
	h.setUsers(func(users *core.Collection) { users.OTP.Enabled, users.MFA.Enabled = true, true })
	got := h.byPassword().want(401)
	if got.text("mfaId") == "" || h.count("sessions", "TRUE") != 0 {
		t.Fatalf("the first step opened %d sessions: %s", h.count("sessions", "TRUE"), got.body)
	}
	otp := core.NewOTP(h.app)
	otp.SetCollectionRef(h.alice.Collection().Id)
	otp.SetRecordRef(h.alice.Id)
	otp.SetPassword("12345678")
	if err := h.app.Save(otp); err != nil {
		t.Fatal(err)
	}
	token := h.do("POST", usersRoute+"auth-with-otp", nobody, object("otpId", otp.Id, "password", "12345678", "mfaId", got.text("mfaId"))).
		want(200).text("token")
	if !h.works(token) || h.count("sessions", "TRUE") != 1 {
		t.Errorf("the last step opened %d sessions", h.count("sessions", "TRUE"))
	}
}

// A sign-in that PocketBase refuses opens nothing.
func TestARefusedSignInOpensNothing(t *testing.T) {
	h := newHouse(t)
	h.do("POST", usersRoute+"auth-with-password", nobody, object("identity", aliceEmail, "password", "wrong password")).want(400)
	rule := "verified = true"
	h.setUsers(func(users *core.Collection) { users.AuthRule = &rule })
	h.byPassword().want(403)
	if rows := h.count("sessions", "TRUE"); rows != 0 {
		t.Errorf("%d sessions were opened", rows)
	}
}

// What cannot be stored is not handed out.
func TestASessionThatCannotBeStoredIsNotAnswered(t *testing.T) {
	for road, enter := range tokenRoads {
		t.Run(road, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.mustExecute(`CREATE TRIGGER full BEFORE INSERT ON sessions BEGIN SELECT RAISE(ABORT, 'full'); END`)
			got := enter(h).want(500)
			if strings.Contains(string(got.body), "eyJ") || strings.Contains(string(got.body), aliceEmail) || h.count("sessions", "TRUE") != 0 {
				t.Errorf("answered %s", got.body)
			}
			h.mustExecute(`DROP TRIGGER full`)
			if road == "password" && !h.works(enter(h).want(200).text("token")) {
				t.Error("the next sign-in does not work")
			}
		})
	}
}

func TestARefreshThatCannotBeStoredIsNotAnswered(t *testing.T) {
	h := newHouse(t)
	token := h.byPassword().want(200).text("token")
	h.mustExecute(`CREATE TRIGGER full BEFORE UPDATE ON sessions BEGIN SELECT RAISE(ABORT, 'full'); END`)
	got := h.do("POST", usersRoute+"auth-refresh", bearer(token), "").want(500)
	if strings.Contains(string(got.body), "eyJ") || !h.works(token) {
		t.Errorf("answered %s", got.body)
	}
}

// A token opens the door only with a living session of its own user and road.
func TestATokenNeedsASessionOfItsOwn(t *testing.T) {
	h := newHouse(t)
	plain, err := h.alice.NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	naming := func(claim any) string {
		claims, err := security.ParseUnverifiedJWT(plain)
		if err != nil {
			t.Fatal(err)
		}
		claims[sessionClaim] = claim
		token, err := security.NewJWT(claims, signingKey(h.alice), 0)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	bobs := h.do("POST", usersRoute+"auth-with-password", nobody, object("identity", bobEmail, "password", testPassword)).want(200).text("token")
	better := h.aliceSession()
	static, err := h.alice.NewStaticAuthToken(time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"no session": plain, "a static token without one": static, "an empty name": naming(""), "a number": naming(1), "a list": naming([]string{"x"}),
		"an unknown session": naming("0123456789abcdef0123456789abcdef"), "another user's": naming(h.sessionOf(bobs)),
		"a session of the other road": naming(h.handle(better)), "its token": naming(better.raw),
	} {
		if h.works(token) {
			t.Errorf("a token with %s works", name)
		}
		h.do("POST", usersRoute+"auth-refresh", bearer(token), "").wantOutcome("401")
	}
	own := h.sessionOf(h.byPassword().want(200).text("token"))
	if !h.works(naming(own)) {
		t.Error("a token with its own session does not work")
	}
}

// Both roads show and end the sessions of both kinds.
func TestBetterAuthsRoutesEndBothKinds(t *testing.T) {
	for _, c := range []struct {
		rule string
		end  func(h *house, first, second string, other session)
		want string // of the first token, the second, and the other road's session
	}{
		{"sign-out", func(h *house, first, _ string, _ session) {
			h.do("POST", "/api/auth/sign-out", bearer(first), "").want(200)
		}, "false true true"},
		{"revoke-session by handle", func(h *house, first, _ string, other session) {
			h.do("POST", "/api/auth/revoke-session", bearer(other.raw), object("token", h.sessionOf(first))).want(200)
		}, "false true true"},
		{"revoke-session by token", func(h *house, first, second string, _ session) {
			h.do("POST", "/api/auth/revoke-session", bearer(first), object("token", second)).want(200)
		}, "true false true"},
		{"revoke-session by a token of the other road", func(h *house, first, _ string, other session) {
			h.do("POST", "/api/auth/revoke-session", bearer(first), object("token", other.raw)).want(200)
		}, "true true false"},
		{"revoke-other-sessions", func(h *house, first, _ string, _ session) {
			h.do("POST", "/api/auth/revoke-other-sessions", bearer(first), "").want(200)
		}, "true false false"},
		{"revoke-other-sessions from the other road", func(h *house, _, _ string, other session) {
			h.do("POST", "/api/auth/revoke-other-sessions", bearer(other.raw), "").want(200)
		}, "false false true"},
		{"revoke-sessions", func(h *house, _, _ string, other session) {
			h.do("POST", "/api/auth/revoke-sessions", bearer(other.raw), "").want(200)
		}, "false false false"},
		{"the owner deletes the record", func(h *house, first, second string, _ session) {
			h.do("DELETE", "/api/collections/sessions/records/"+h.sessionOf(second), bearer(first), "").want(204)
		}, "true false true"},
		{"the owner deletes the other road's record", func(h *house, first, _ string, other session) {
			h.do("DELETE", "/api/collections/sessions/records/"+h.handle(other), bearer(first), "").want(204)
		}, "true true false"},
		{"a stranger does not", func(h *house, first, second string, _ session) {
			h.do("DELETE", "/api/collections/sessions/records/"+h.sessionOf(first), h.asBob(), "").want(404)
			h.do("POST", "/api/auth/revoke-session", h.asBob(), object("token", first)).want(200)
			h.do("POST", "/api/auth/revoke-session", h.asBob(), object("token", h.sessionOf(second))).want(200)
		}, "true true true"},
		{"a new password", func(h *house, first, _ string, _ session) {
			h.do("PATCH", usersRoute+"records/"+h.alice.Id, bearer(first),
				object("oldPassword", testPassword, "password", "another password", "passwordConfirm", "another password")).want(200)
		}, "false false false"},
		{"invalidate all tokens", func(h *house, _, _ string, _ session) {
			alice := h.record(usersCollection, aliceEmail)
			alice.RefreshTokenKey()
			if err := h.app.Save(alice); err != nil {
				h.t.Fatal(err)
			}
		}, "false false false"},
		{"a new name", func(h *house, first, _ string, _ session) {
			h.do("PATCH", usersRoute+"records/"+h.alice.Id, bearer(first), object("name", "Alicia")).want(200)
		}, "true true true"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			first, second, other := h.byPassword().want(200).text("token"), h.byPassword().want(200).text("token"), h.aliceSession()
			bobs := h.signIn(bobEmail, testPassword)
			if !h.works(first) || !h.works(second) || !h.alive(other) { // all are in the cache
				t.Fatal("a new session is dead")
			}
			c.end(h, first, second, other)
			if got := fmt.Sprint(h.works(first), h.works(second), h.alive(other)); got != c.want {
				t.Errorf("alive are %s, want %s", got, c.want)
			}
			if !h.alive(bobs) {
				t.Error("bob's session is dead")
			}
			if rows, want := h.count("sessions", "user = {:user}", "user", h.alice.Id), strings.Count(c.want, "true"); rows != want {
				t.Errorf("%d rows are shown, want %d", rows, want)
			}
		})
	}
}

func TestListSessionsShowsBothKindsAndNoToken(t *testing.T) {
	h := newHouse(t)
	mine, second, other := h.byPassword().want(200).text("token"), h.byPassword().want(200).text("token"), h.aliceSession()
	got := h.do("GET", "/api/auth/list-sessions", bearer(mine), "").want(200)
	var shown struct{ tokens, ids []string }
	for i := range 3 {
		shown.tokens = append(shown.tokens, got.text(fmt.Sprintf("%d.token", i)))
		shown.ids = append(shown.ids, got.text(fmt.Sprintf("%d.id", i)))
	}
	for _, want := range []string{mine, h.sessionOf(second), h.handle(other)} {
		if !slices.Contains(shown.tokens, want) {
			t.Errorf("%q is missing in %q", want, shown.tokens)
		}
	}
	if body := string(got.body); strings.Contains(body, second) || strings.Contains(body, other.raw) || got.value("3") != nil {
		t.Errorf("the list shows too much: %s", body)
	}
	session := h.do("GET", "/api/auth/get-session", bearer(mine), "").want(200)
	if session.text("session.id") != h.sessionOf(mine) || session.text("session.token") != mine || session.text("user.id") != h.alice.Id {
		t.Errorf("get-session shows %s", session.body)
	}
}

// A user's realtime connection falls silent with the session of its token.
func TestAnEndedTokenHearsNothingMore(t *testing.T) {
	h := newHouse(t)
	owned := "wallets/" + h.alice.Id
	token := h.byPassword().want(200).text("token")
	ended := h.listen(bearer(token), owned, "plans/*")
	alive := h.listen(h.asAlice(), owned)
	h.mint(h.alice, 1)
	h.next(ended)
	h.next(alive)
	h.do("DELETE", "/api/collections/sessions/records/"+h.sessionOf(token), h.asRoot(), "").want(204)
	h.mint(h.alice, 1234)
	h.next(alive)
	h.do("PATCH", "/api/collections/plans/records/free_plan", h.asRoot(), object("price_cents", 1)).want(200)
	if event := h.next(ended); !strings.HasPrefix(event, "plans/* ") {
		t.Errorf("the ended session hears %s", event)
	}
}

// It falls silent, too, when the session just runs out, and not when it moved on.
func TestAnExpiredSessionHearsNothingMore(t *testing.T) {
	h := newHouse(t)
	owned := "wallets/" + h.alice.Id
	token, other := h.byPassword().want(200).text("token"), h.aliceSession()
	expired := h.listen(bearer(token), owned, "plans/*")
	moved := h.listen(bearer(other.raw), owned)
	past, future := time.Now().Add(-time.Second), time.Now().Add(48*time.Hour)
	h.mustExecute(`UPDATE sessions SET expires_at = {:at} WHERE id = {:id}`, "at", past.UTC().Format(rowTime), "id", h.sessionOf(token))
	h.mustExecute(`UPDATE sessions SET expires_at = {:at} WHERE id = {:id}`, "at", future.UTC().Format(rowTime), "id", h.handle(other))
	for _, client := range h.app.SubscriptionsBroker().Clients() { // as they knew it, both are over
		session := sessionOfClient(client)
		session.ExpiresAt = past
		client.Set(realtimeSessionKey, session)
	}
	for _, job := range h.app.Cron().Jobs() {
		if job.Id() == "sokujiRealtimeSessions" {
			job.Run()
		}
	}
	h.mint(h.alice, 1234)
	h.next(moved)
	h.do("PATCH", "/api/collections/plans/records/free_plan", h.asRoot(), object("price_cents", 1)).want(200)
	if event := h.next(expired); !strings.HasPrefix(event, "plans/* ") {
		t.Errorf("the expired session hears %s", event)
	}
}

// Superusers have no wallet, no profile, and no rows here.
func TestSuperusersHaveNoSessions(t *testing.T) {
	h := newHouse(t)
	token := h.do("POST", "/api/collections/_superusers/auth-with-password", nobody, object("identity", rootEmail, "password", rootPassword)).
		want(200).text("token")
	token = h.do("POST", "/api/collections/_superusers/auth-refresh", bearer(token), "").want(200).text("token")
	h.do("GET", "/api/collections/audit_log/records", bearer(token), "").want(200)
	facts, ok := readToken(token)
	if rows := h.count("sessions", "TRUE"); rows != 0 || !ok || facts.sessionID != "" {
		t.Errorf("there are %d sessions, and the token says %+v", rows, facts)
	}
}

// A session that is in memory is not read again.
func TestATokenIsCheckedWithoutTheDisk(t *testing.T) {
	h := newHouse(t)
	token := h.byPassword().want(200).text("token")
	h.works(token)
	h.mustExecute(`DELETE FROM sessions`) // by SQL, of which nobody is told
	if !h.works(token) {
		t.Error("the row was read again")
	}
}

func TestTheLastUseOfATokenIsShown(t *testing.T) {
	h := newHouse(t)
	token, other := h.byPassword().want(200).text("token"), h.aliceSession()
	old := time.Now().UTC().Add(-accounts.LastUseInterval).Format(rowTime)
	h.mustExecute(`UPDATE sessions SET last_used_at = '` + old + `'`)
	if !h.works(token) || !h.works(other.raw) {
		t.Fatal("a session is dead")
	}
	for deadline := time.Now().Add(eventWait + 5*time.Second); slices.Contains(h.columns("sessions", "last_used_at"), old); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the last use did not move")
		}
	}
}

// A script that signs in at every request does not fill the table.
func TestSignInsAreBounded(t *testing.T) {
	h := newHouse(t)
	first := h.byPassword().want(200).text("token")
	for range accounts.MaxSessionsPerUser {
		h.byPassword().want(200)
	}
	if rows := h.count("sessions", "TRUE"); rows != accounts.MaxSessionsPerUser || h.works(first) {
		t.Errorf("there are %d rows; the oldest works: %v", rows, h.works(first))
	}
}

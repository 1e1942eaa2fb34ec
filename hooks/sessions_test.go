package hooks

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sokuji/internal/accounts"
	"sokuji/internal/apikeys"
)

const rowTime = "2006-01-02 15:04:05.000Z"

// expire moves the expiry of all of alice's sessions, and makes the server read
// their rows again as it does after an admin's edit.
func (h *house) expire(left time.Duration) {
	h.t.Helper()
	sessions, err := h.app.FindAllRecords(sessionsCollection)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, session := range sessions {
		session.Set("expires_at", time.Now().Add(left))
		if err := h.app.Save(session); err != nil {
			h.t.Fatal(err)
		}
	}
}

// left is how long the only session still lives.
func (h *house) left() time.Duration {
	h.t.Helper()
	expires, err := time.Parse(rowTime, h.columns("sessions", "expires_at")[0])
	if err != nil {
		h.t.Fatal(err)
	}
	return time.Until(expires)
}

func (h *house) alive(s session) bool {
	h.t.Helper()
	return string(h.do("GET", "/api/auth/get-session", bearer(s.raw), "").want(200).body) != "null"
}

func near(got, want time.Duration) bool { return (got - want).Abs() < time.Minute }

func TestSessionsSlideAfterADay(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		rule       string
		left, want time.Duration
	}{
		{"a young one stays", 6*day + time.Minute + 30*time.Second, 6*day + time.Minute + 30*time.Second},
		{"one of a day moves", 6*day - time.Second, 7 * day},
		{"one at its end moves", time.Minute, 7 * day},
	} {
		t.Run(c.rule, func(t *testing.T) {
			h := newHouse(t)
			s := h.aliceSession()
			if !near(h.left(), accounts.SessionLifetime) {
				t.Fatalf("a new session lives %s", h.left())
			}
			h.expire(c.left)
			got := h.do("GET", "/api/auth/get-session", cookie(s.signed, ""), "").want(200)
			if !near(h.left(), c.want) {
				t.Errorf("it lives %s, want %s", h.left(), c.want)
			}
			moved := c.left != c.want
			if hasCookie := got.header.Get("Set-Cookie") != ""; hasCookie != moved {
				t.Errorf("the session moved: %v, a cookie was set: %v", moved, hasCookie)
			}
			shown, err := time.Parse(time.RFC3339, got.text("session.expiresAt"))
			if err != nil || !near(time.Until(shown), c.want) {
				t.Errorf("expiresAt is %s (%v)", got.text("session.expiresAt"), err)
			}
		})
	}
}

func TestSessionsExpire(t *testing.T) {
	h := newHouse(t)
	s := h.aliceSession()
	h.expire(-time.Second)
	if h.alive(s) {
		t.Error("an expired session is alive")
	}
	h.do("GET", "/api/wallet/balance", bearer(s.raw), "").wantOutcome("401 unauthorized")
	got := h.do("GET", "/api/auth/get-session", cookie(s.signed, ""), "").want(200)
	if cookies := got.header.Values("Set-Cookie"); len(cookies) != 3 || !strings.Contains(cookies[0], "Max-Age=0") {
		t.Errorf("the browser keeps its cookies: %v", cookies)
	}
}

func TestRememberMeFalseLivesADayAndDoesNotSlide(t *testing.T) {
	h := newHouse(t)
	got := h.do("POST", "/api/auth/sign-in/email", nobody,
		object("email", aliceEmail, "password", testPassword, "rememberMe", false)).want(200)
	if !near(h.left(), accounts.ShortSessionLifetime) {
		t.Errorf("it lives %s", h.left())
	}
	if strings.Contains(got.header.Get("Set-Cookie"), "Max-Age") {
		t.Errorf("the cookie outlives the browser: %s", got.header.Get("Set-Cookie"))
	}
	h.expire(time.Hour)
	h.do("GET", "/api/auth/get-session", bearer(got.text("token")), "").want(200)
	if !near(h.left(), time.Hour) {
		t.Errorf("it slid to %s", h.left())
	}
}

func TestEndingSessions(t *testing.T) {
	// three sessions of alice, one of bob: which of alice's are alive afterwards?
	for _, c := range []struct {
		rule string
		end  func(h *house, first, second, third session)
		want string
	}{
		{"sign-out ends that one", func(h *house, first, _, _ session) {
			h.do("POST", "/api/auth/sign-out", bearer(first.raw), "").want(200)
		}, "false true true"},
		{"sign-out by cookie too", func(h *house, _, second, _ session) {
			h.do("POST", "/api/auth/sign-out", cookie(second.signed, trustedOrigin), "").want(200)
		}, "true false true"},
		{"revoke-session by handle", func(h *house, first, second, _ session) {
			h.do("POST", "/api/auth/revoke-session", bearer(first.raw), object("token", h.handle(second))).want(200)
		}, "true false true"},
		{"revoke-session by token", func(h *house, first, second, _ session) {
			h.do("POST", "/api/auth/revoke-session", bearer(first.raw), object("token", second.raw)).want(200)
		}, "true false true"},
		{"revoke-other-sessions", func(h *house, _, second, _ session) {
			h.do("POST", "/api/auth/revoke-other-sessions", bearer(second.raw), "").want(200)
		}, "false true false"},
		{"revoke-sessions", func(h *house, first, _, _ session) {
			h.do("POST", "/api/auth/revoke-sessions", bearer(first.raw), "").want(200)
		}, "false false false"},
		{"another user's handle does nothing", func(h *house, first, _, _ session) {
			h.do("POST", "/api/auth/revoke-session", bearer(h.signIn(bobEmail, testPassword).raw), object("token", h.handle(first))).want(200)
		}, "true true true"},
		{"another user's token does nothing", func(h *house, first, _, _ session) {
			h.do("POST", "/api/auth/revoke-session", h.asBob(), object("token", first.raw)).want(200)
		}, "true true true"},
		{"a superuser deletes the record", func(h *house, _, _, third session) {
			h.do("DELETE", "/api/collections/sessions/records/"+h.handle(third), h.asRoot(), "").want(204)
		}, "true true false"},
		{"a superuser moves the expiry", func(h *house, _, _, third session) {
			h.do("PATCH", "/api/collections/sessions/records/"+h.handle(third), h.asRoot(), object("expires_at", "2020-01-01 00:00:00.000Z")).want(200)
		}, "true true false"},
		{"a new password by PocketBase", func(h *house, _, _, _ session) {
			h.do("PATCH", "/api/collections/users/records/"+h.alice.Id, h.asAlice(),
				object("oldPassword", testPassword, "password", "another password", "passwordConfirm", "another password")).want(200)
		}, "false false false"},
		{"a new name ends none", func(h *house, first, _, _ session) {
			h.do("PATCH", "/api/user/profile", bearer(first.raw), object("name", "Alicia")).want(200)
		}, "true true true"},
		{"a new token key ends all", func(h *house, _, _, _ session) {
			alice := h.record(usersCollection, aliceEmail)
			alice.RefreshTokenKey()
			if err := h.app.Save(alice); err != nil {
				h.t.Fatal(err)
			}
		}, "false false false"},
		{"deleting the user", func(h *house, first, _, _ session) {
			h.do("DELETE", "/api/collections/users/records/"+h.alice.Id, bearer(first.raw), "").want(204)
		}, "false false false"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			bobs := h.signIn(bobEmail, testPassword)
			first, second, third := h.aliceSession(), h.aliceSession(), h.aliceSession()
			for _, s := range []session{first, second, third, bobs} { // all are in the cache
				if !h.alive(s) {
					t.Fatal("a new session is dead")
				}
			}
			c.end(h, first, second, third)
			if got := fmt.Sprint(h.alive(first), h.alive(second), h.alive(third)); got != c.want {
				t.Errorf("alive are %s, want %s", got, c.want)
			}
			if !h.alive(bobs) {
				t.Error("bob's session is dead")
			}
		})
	}
}

// handle is the id of a session, as list-sessions shows it to other sessions.
func (h *house) handle(s session) string {
	h.t.Helper()
	return h.do("GET", "/api/auth/get-session", bearer(s.raw), "").want(200).text("session.id")
}

func TestListSessionsShowsNoTokenButOnesOwn(t *testing.T) {
	h := newHouse(t)
	mine, other := h.aliceSession(), h.aliceSession()
	bobs := h.signIn(bobEmail, testPassword)
	got := h.do("GET", "/api/auth/list-sessions", bearer(mine.raw), "").want(200)
	body := string(got.body)
	if !strings.Contains(body, mine.raw) {
		t.Error("one's own token is missing")
	}
	for name, secret := range map[string]string{"another session's token": other.raw, "bob's token": bobs.raw, "bob's handle": h.handle(bobs)} {
		if strings.Contains(body, secret) {
			t.Errorf("the list shows %s", name)
		}
	}
	handle := h.handle(other)
	if !strings.Contains(body, handle) {
		t.Error("the other session's handle is missing")
	}
	// a handle is no credential
	for _, as := range []credential{bearer(handle), bearer(sign(handle)), cookie(sign(handle), trustedOrigin)} {
		if body := string(h.do("GET", "/api/auth/get-session", as, "").want(200).body); body != "null" {
			t.Errorf("a handle authenticates: %s", body)
		}
	}
}

// A session works on PocketBase's own routes, by header and by cookie.
func TestSessionsWorkOnRecordRoutes(t *testing.T) {
	h := newHouse(t)
	s := h.aliceSession()
	profile := "/api/collections/users/records/" + h.alice.Id
	for _, as := range []credential{bearer(s.raw), bearer(s.signed), cookie(s.signed, trustedOrigin), cookie(s.signed, h.srv.URL)} {
		if got := listed(h.do("GET", "/api/collections/wallets/records", as, "")); got != "1" {
			t.Errorf("the session sees %s wallets", got)
		}
		h.do("PATCH", profile, as, object("name", "Alicia")).want(200)
	}
	before := h.snapshot()
	for _, as := range []credential{cookie(s.signed, foreignOrigin), cookie(s.signed, ""), cookie(s.signed, "null")} {
		h.do("PATCH", profile, as, object("name", "Mallory")).wantOutcome("403")
	}
	h.unchanged(before)
}

// Whoever deletes their account leaves nothing that opens a door, and their books.
func TestDeletingAUserEndsKeysAndKeepsTheBooks(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	h.use(h.alice, 1)
	key := bearer(h.key(apikeys.ScopeWalletRead))
	books := h.snapshot("wallet_ledger", "usage_logs", "usage_daily")
	h.do("GET", "/api/wallet/balance", key, "").want(200)
	as := h.asAlice()
	h.do("DELETE", "/api/collections/users/records/"+h.alice.Id, as, "").want(204)
	h.do("GET", "/api/wallet/balance", key, "").wantOutcome("401 unauthorized")
	h.do("GET", "/api/wallet/balance", as, "").wantOutcome("401 unauthorized")
	h.unchanged(books)
	if h.count("wallets", "id = {:user} AND balance_tokens = 999 AND frozen AND frozen_reason = 'deleted'", "user", h.alice.Id) != 1 {
		t.Error("the wallet is not closed with what it had")
	}
	for _, table := range []string{"api_keys", "sessions"} {
		if left := h.count(table, `user = {:user}`, "user", h.alice.Id); left != 0 {
			t.Errorf("%d rows of %s are left", left, table)
		}
	}
	if left := h.count("app_user", "better_auth_user_id = {:user}", "user", h.alice.Id) + h.count("entitlements", "subject_id = {:user}", "user", h.alice.Id); left != 0 {
		t.Errorf("%d rows of the account are left", left)
	}
}

package hooks

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// accountTables get one row each with every user.
var accountTables = map[string]string{
	"app_user": "better_auth_user_id", "wallets": "subject_id", "entitlements": "subject_id", "users": "id",
}

func (h *house) wantOneAccount(email string) {
	h.t.Helper()
	id := h.firstID("users", "email = {:email}", "email", email)
	for table, column := range accountTables {
		if rows := h.count(table, column+" = {:id}", "id", id); rows != 1 {
			h.t.Errorf("%s has %d rows of %s, want 1", table, rows, email)
		}
	}
	if rows := h.count("entitlements", "subject_id = {:id} AND plan_id = 'free_plan' AND rate_limit_rpm = 60 AND max_concurrent_sessions = 1", "id", id); rows != 1 {
		h.t.Errorf("%s is not on the free plan", email)
	}
	if rows := h.count("wallets", "id = subject_id AND id = {:id} AND subject_type = 'user' AND balance_tokens = 0 AND seq = 0 AND frozen = FALSE", "id", id); rows != 1 {
		h.t.Errorf("the wallet of %s does not begin empty", email)
	}
}

func TestBothRoadsProvision(t *testing.T) {
	for name, road := range roads {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			road.signUp(h, "new@example.com", testPassword).want(200)
			h.wantOneAccount("new@example.com")
			as := bearer(h.signIn("new@example.com", testPassword).raw)
			balance := h.do("GET", "/api/wallet/balance", as, "").want(200)
			if balance.number("balance") != 0 || balance.text("planId") != "free_plan" {
				t.Errorf("a new user has %s", balance.body)
			}
			if got := h.do("GET", "/api/user/profile", as, "").want(200).text("user.firstName"); got != "New" {
				t.Errorf("the first name is %q, want the name", got)
			}
		})
	}
}

func TestASuperuserProvisionsTooWithTheirOwnID(t *testing.T) {
	h := newHouse(t)
	const imported = "aBcDeFgHiJkLmNoPqRsTuVwXyZ012345"
	h.do("POST", "/api/collections/users/records", h.asRoot(), object(
		"id", imported, "email", "old@example.com", "password", testPassword, "passwordConfirm", testPassword)).want(200)
	h.wantOneAccount("old@example.com")
	if h.firstID("users", "email = 'old@example.com'") != imported {
		t.Error("the id of 32 characters was not kept")
	}
}

func TestBatchProvisions(t *testing.T) {
	h := newHouse(t)
	h.enableBatch()
	requests := make([]any, 3)
	for i := range requests {
		requests[i] = batched("POST", "/api/collections/users/records", map[string]any{
			"email": fmt.Sprintf("new%d@example.com", i), "password": testPassword, "passwordConfirm": testPassword,
		})
	}
	h.do("POST", "/api/batch", nobody, object("requests", requests)).want(200)
	for i := range requests {
		h.wantOneAccount(fmt.Sprintf("new%d@example.com", i))
	}
	before := h.snapshot()
	fresh := batched("POST", "/api/collections/users/records", map[string]any{
		"email": "new9@example.com", "password": testPassword, "passwordConfirm": testPassword,
	})
	h.do("POST", "/api/batch", nobody, object("requests", []any{fresh, requests[0]})).wantOutcome("400")
	h.unchanged(before)
}

// When any row of an account cannot be made, none is.
func TestAFailingProvisioningLeavesNoUser(t *testing.T) {
	const id = "newnewnewnewnew"
	for table, collision := range map[string]string{
		"app_user": `INSERT INTO app_user (id, better_auth_user_id) VALUES ('x', '` + id + `')`,
		// A sound row: the check of the books that a start begins may meet it.
		"wallets": `INSERT INTO wallets (id, subject_type, subject_id, created_at, updated_at)
			VALUES ('` + id + `', 'organization', '` + id + `', '2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z')`,
		"entitlements": `INSERT INTO entitlements (id, subject_type, subject_id) VALUES ('` + id + `', 'organization', '` + id + `')`,
	} {
		t.Run(table, func(t *testing.T) {
			h := newHouse(t)
			h.mustExecute(collision)
			before := h.snapshot()
			h.do("POST", "/api/collections/users/records", h.asRoot(), object(
				"id", id, "email", "new@example.com", "password", testPassword, "passwordConfirm", testPassword)).wantOutcome("400")
			h.unchanged(before)
		})
	}
	t.Run("without the free plan, by Better Auth's road", func(t *testing.T) {
		h := newHouse(t)
		h.mustExecute(`PRAGMA foreign_keys = OFF`)
		h.mustExecute(`UPDATE entitlements SET plan_id = 'pro_plan'`)
		h.mustExecute(`DELETE FROM plans WHERE id = 'free_plan'`)
		before := h.snapshot()
		got := roads["Better Auth"].signUp(h, "new@example.com", strings.Repeat("a long password ", 7))
		if got.status != 500 || got.header.Get("Set-Cookie") != "" {
			t.Errorf("a sign-up that failed answers %s with the cookie %q", got.outcome(), got.header.Get("Set-Cookie"))
		}
		h.unchanged(before)
	})
}

// Many sign-ups for one address at once make one user, and no error of ours.
func TestConcurrentSignUpsMakeOneUser(t *testing.T) {
	h := newHouse(t)
	const each = 8
	var group sync.WaitGroup
	answers := make(chan answer, each*len(roads))
	for _, road := range roads {
		for range each {
			group.Go(func() { answers <- road.signUp(h, "new@example.com", testPassword) })
		}
	}
	group.Wait()
	close(answers)
	made := 0
	for got := range answers {
		switch got.status {
		case 200:
			made++
		case 400, 422:
		default:
			t.Errorf("a sign-up answered %s: %s", got.outcome(), got.body)
		}
	}
	if made != 1 {
		t.Errorf("%d sign-ups succeeded, want 1", made)
	}
	h.wantOneAccount("new@example.com")
}

// The seed's two aliases and the form of the answer.
func TestSignUpAnswersAsBetterAuth(t *testing.T) {
	h := newHouse(t)
	got := h.do("POST", "/api/auth/sign-up", nobody, object("name", "New", "email", "New@Example.com", "password", testPassword)).want(200)
	if got.text("user.email") != "new@example.com" || got.value("user.emailVerified") != false || len(got.text("token")) != 32 {
		t.Errorf("the answer is %s", got.body)
	}
	setCookie, header := got.header.Get("Set-Cookie"), got.header.Get("set-auth-token")
	for _, part := range []string{"better-auth.session_token=" + got.text("token") + ".", "; Max-Age=604800", "; Path=/", "; HttpOnly", "; SameSite=Lax"} {
		if !strings.Contains(setCookie, part) {
			t.Errorf("the cookie lacks %s: %s", part, setCookie)
		}
	}
	if strings.Contains(setCookie, "Secure") || header != sign(got.text("token")) {
		t.Errorf("the cookie is %s and the header %s", setCookie, header)
	}
	secure := newHouse(t, "PUBLIC_URL", "https://sokuji.example")
	setCookie = roads["Better Auth"].signUp(secure, "new@example.com", testPassword).want(200).header.Get("Set-Cookie")
	if !strings.HasPrefix(setCookie, "__Secure-better-auth.session_token=") || !strings.Contains(setCookie, "; Secure") {
		t.Errorf("on https the cookie is %s", setCookie)
	}
}

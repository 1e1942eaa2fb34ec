package hooks

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// Sign-ins and sign-ups by either road: three in ten seconds, then 429.
func TestSignInsAndSignUpsAreThrottled(t *testing.T) {
	h := newHouse(t, "AUTH_RATE_LIMIT", "3")
	usersID, superusersID := h.collectionID("users"), h.collectionID(core.CollectionNameSuperusers)
	wrong := object("identity", aliceEmail, "email", aliceEmail, "password", "wrong password")
	short := object("email", "new@example.com", "name", "New", "password", "short", "passwordConfirm", "short")
	for _, c := range []struct {
		rule  string
		limit int
		paths []string // tried in turn, counted together
		body  string
	}{
		{"Better Auth's sign-in", 3, []string{"/api/auth/sign-in/email"}, wrong},
		{"Better Auth's sign-up", 3, []string{"/api/auth/sign-up/email", "/api/auth/sign-up"}, short},
		{"PocketBase's sign-in", 3, []string{
			"/api/collections/users/auth-with-password", "/api/collections/" + usersID + "/auth-with-password",
			"/api/collections/USERS/auth-with-password"}, wrong},
		{"PocketBase's sign-up", 3, []string{"/api/collections/users/records", "/api/collections/" + usersID + "/records"}, short},
		{"a superuser's sign-in", 10, []string{
			"/api/collections/_superusers/auth-with-password", "/api/collections/" + superusersID + "/auth-with-password"}, wrong},
	} {
		t.Run(c.rule, func(t *testing.T) {
			h := h.in(t)
			for i := range c.limit {
				if got := h.do("POST", c.paths[i%len(c.paths)], nobody, c.body); got.status != 400 && got.status != 401 {
					t.Fatalf("request %d is answered %s: %s", i+1, got.outcome(), got.body)
				}
			}
			for _, path := range c.paths {
				got := h.do("POST", path, nobody, c.body).want(429)
				wantRetry(t, got, 10)
			}
		})
	}
}

// wantRetry checks that a refusal says when to come back.
func wantRetry(t *testing.T, got answer, most int) {
	t.Helper()
	for _, header := range []string{"Retry-After", "X-Retry-After"} {
		value := got.header.Get(header)
		if value == "" && header == "X-Retry-After" && got.request[:len("POST /api/auth")] != "POST /api/auth" {
			continue // Better Auth's clients alone read that one
		}
		if seconds, err := strconv.Atoi(value); err != nil || seconds < 1 || seconds > most {
			t.Errorf("%s: %s is %q, want 1 to %d seconds", got.request, header, value, most)
		}
	}
}

// A right password is refused as well once the window is full.
func TestAThrottleDoesNotTellARightPassword(t *testing.T) {
	h := newHouse(t, "AUTH_RATE_LIMIT", "3")
	for range 3 {
		roads["PocketBase"].signIn(h, aliceEmail, "wrong password").want(400)
		roads["Better Auth"].signIn(h, aliceEmail, "wrong password").want(401)
	}
	for _, road := range roads {
		road.signIn(h, aliceEmail, testPassword).want(429)
	}
}

func TestBatchSignUpsAreThrottled(t *testing.T) {
	h := newHouse(t, "AUTH_RATE_LIMIT", "3")
	h.enableBatch()
	before := h.snapshot()
	requests := make([]any, 4)
	for i := range requests {
		requests[i] = batched("POST", "/api/collections/users/records", map[string]any{
			"email": fmt.Sprintf("new%d@example.com", i), "password": testPassword, "passwordConfirm": testPassword,
		})
	}
	got := h.do("POST", "/api/batch", nobody, object("requests", requests))
	if got.status != 429 && got.status != 400 {
		t.Errorf("four sign-ups in a batch are answered %s: %s", got.outcome(), got.body)
	}
	h.unchanged(before)
	h.do("POST", "/api/collections/users/records", nobody, object("email", "x")).want(429) // the batch counted
}

// A superuser makes as many users as they need.
func TestSuperusersCreateUsersUnthrottled(t *testing.T) {
	h := newHouse(t, "AUTH_RATE_LIMIT", "3")
	for i := range 5 {
		h.do("POST", "/api/collections/users/records", h.asRoot(), object(
			"email", fmt.Sprintf("new%d@example.com", i), "password", testPassword, "passwordConfirm", testPassword)).want(200)
	}
}

// The abuse limit of /api counts a user, whichever way they come.
func TestUsersAreLimited(t *testing.T) {
	h := newHouse(t, "API_RATE_LIMIT", "5")
	h.mint(h.alice, 1000)
	key := h.defaultKey() // 1
	s := h.aliceSession()
	for _, as := range []credential{h.asAlice(), bearer(s.raw), cookie(s.signed, ""), bearer(key)} { // 2 to 5
		h.do("GET", "/api/wallet/balance", as, "").want(200)
	}
	for _, as := range []credential{h.asAlice(), bearer(s.raw), cookie(s.signed, ""), bearer(key), xAPIKey(key)} {
		wantRetry(t, h.do("GET", "/api/wallet/balance", as, "").wantOutcome("429 rate_limited"), 60)
	}
	wantRetry(t, h.do("GET", "/api/collections/wallets/records", h.asAlice(), "").want(429), 60)
	h.do("GET", "/v1/nothing", bearer(key), "").want(404)                // a plan's limits hold there
	for _, models := range []string{"/v1/models", "/v1/models/gpt-4o"} { // but for what asks no provider
		wantRetry(t, h.do("GET", models, bearer(key), "").want(429), 60)
	}
	for range 10 {
		h.do("GET", "/api/wallet/balance?userId="+h.alice.Id, h.asRoot(), "").want(200)
	}
	h.do("GET", "/api/wallet/balance", h.asBob(), "").want(200)
}

func TestZeroTurnsTheLimitsOff(t *testing.T) {
	h := newHouse(t, "AUTH_RATE_LIMIT", "0", "API_RATE_LIMIT", "0")
	for range 12 {
		roads["PocketBase"].signIn(h, aliceEmail, "wrong password").want(400)
		h.do("GET", "/api/wallet/balance", h.asAlice(), "").want(200)
	}
}

package hooks

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sokuji/internal/apikeys"
)

// roles are the ways to call, each made anew for every cell, because some routes
// end what they were called with.
var roles = map[string]func(*house) credential{
	"guest":              func(*house) credential { return nobody },
	"token":              (*house).asAlice,
	"other user's token": (*house).asBob,
	"raw session":        func(h *house) credential { return bearer(h.aliceSession().raw) },
	"signed session":     func(h *house) credential { return bearer(h.aliceSession().signed) },
	"cookie":             func(h *house) credential { return cookie(h.aliceSession().signed, trustedOrigin) },
	"cookie from abroad": func(h *house) credential { return cookie(h.aliceSession().signed, foreignOrigin) },
	"cookie, no origin":  func(h *house) credential { return cookie(h.aliceSession().signed, "") },
	"default key":        func(h *house) credential { return bearer(h.defaultKey()) },
	"x-api-key":          func(h *house) credential { return xAPIKey(h.defaultKey()) },
	"charge key":         func(h *house) credential { return bearer(h.key(apikeys.ScopeWalletCharge)) },
	"gateway key":        func(h *house) credential { return xAPIKey(h.key(apikeys.ScopeGateway)) },
	"superuser":          (*house).asRoot,
}

// access is what each role gets.
type access map[string]string

// with returns a copy in which some roles get something else.
func (a access) with(outcome string, roles ...string) access {
	changed := maps.Clone(a)
	for _, role := range roles {
		changed[role] = outcome
	}
	return changed
}

func everybody(outcome string) access {
	all := make(access)
	for role := range roles {
		all[role] = outcome
	}
	return all
}

// The classes of routes, by who may enter. Cookies of unsafe requests that come
// from nowhere or abroad are refused by all of them.
var (
	users = []string{"token", "other user's token", "raw session", "signed session", "cookie", "cookie from abroad", "cookie, no origin"}
	keys  = []string{"default key", "x-api-key", "charge key", "gateway key"}

	open       = everybody("200")
	missing    = everybody("404")
	authMember = everybody("200").with("401 UNAUTHORIZED", append([]string{"guest", "superuser"}, keys...)...)
	userOnly   = everybody("403 forbidden").with("401 unauthorized", "guest").with("200", users...)
	// somebody else's key looks like one that is not there
	onAlicesKey = userOnly.with("404 not_found", "other user's token")
	walletRead  = everybody("200").with("401 unauthorized", "guest").
			with("403 forbidden", "other user's token", "charge key", "gateway key")
	spender = everybody("403 forbidden").with("401 unauthorized", "guest").with("200", "charge key", "superuser")
	// there is no provider in these houses, so whoever is admitted finds no model
	gatewayCaller = everybody("404 model_not_found").with("401 invalid_api_key", "guest").with("403 forbidden", "charge key", "superuser")
	admin         = everybody("403 forbidden").with("401 unauthorized", "guest").with("200", "superuser")
)

// admittedToGateway are the roles that /v1 admits.
var admittedToGateway = append([]string{"default key", "x-api-key", "gateway key"}, users...)

func modelBody(*house) string {
	return object("model", "gpt-4o", "input", "hello", "prompt", "hello", "voice", "alloy", "max_tokens", 10,
		"messages", []map[string]any{{"role": "user", "content": "hello"}})
}

// matrixRow is one route and what it answers to whom.
type matrixRow struct {
	method, path string
	access       access
	// body makes a fresh body; nil sends none.
	body func(h *house) string
	// call is the path to request, where it is not the path of the route.
	call string
	// callFor makes the path to request, where it names a row.
	callFor func(h *house) string
}

func (r matrixRow) route() string { return r.method + " " + r.path }

// ofAlice names alice's wallet in a body.
func ofAlice(pairs ...any) func(*house) string {
	return func(h *house) string { return object(append([]any{"userId", h.alice.Id}, pairs...)...) }
}

func signUpBody(h *house) string {
	email := fmt.Sprintf("new%d@example.com", h.count("users", "TRUE"))
	return object("name", "New", "email", email, "password", testPassword)
}

func signInBody(*house) string { return object("email", aliceEmail, "password", testPassword) }

func mailToAlice(*house) string { return object("email", aliceEmail) }

// samePasswordBody changes a password to itself, which replaces the token key all
// the same: the cell's credential needs the newest.
func samePasswordBody(h *house) string {
	h.alice, h.bob = h.record(usersCollection, aliceEmail), h.record(usersCollection, bobEmail)
	return object("currentPassword", testPassword, "newPassword", testPassword)
}

// deleteUserBody brings back who was deleted in the cell before.
func deleteUserBody(h *house) string {
	for _, email := range []string{aliceEmail, bobEmail} {
		if h.count("users", "email = {:email}", "email", email) == 0 {
			roads["Better Auth"].signUp(h, email, testPassword).want(200)
			h.mint(h.record(usersCollection, email), 1000)
		}
	}
	h.alice, h.bob = h.record(usersCollection, aliceEmail), h.record(usersCollection, bobEmail)
	return object("password", testPassword)
}

// onHold is the path of a verb on a new hold of alice's.
func onHold(verb string) func(h *house) string {
	return func(h *house) string { return "/api/wallet/holds/" + h.hold(h.alice, 1) + "/" + verb }
}

// onKey is the path of a verb on a new key of alice's.
func onKey(verb string) func(h *house) string {
	return func(h *house) string { return "/api/user/api-keys/" + h.keyRecord().Id + verb }
}

// firstKeyBody makes room for a key: a free plan has one.
func firstKeyBody(h *house) string {
	h.mustExecute("DELETE FROM api_keys WHERE is_default = FALSE")
	return object("name", "a key")
}

func refundBody(h *house) string {
	return object("userId", h.alice.Id, "ledgerId", h.use(h.alice, 1))
}

// freezeBody undoes the freeze of the cell before: a frozen wallet has no key.
func freezeBody(h *house) string {
	h.do("POST", "/api/wallet/unfreeze", h.asRoot(), ofAlice("reason", "the next cell")(h)).want(200)
	return ofAlice("reason", "a test")(h)
}

var roleMatrix = []matrixRow{
	{method: "POST", path: "/api/auth/sign-up/email", access: open, body: signUpBody},
	{method: "POST", path: "/api/auth/sign-up", access: open, body: signUpBody},
	{method: "POST", path: "/api/auth/sign-in/email", access: open, body: signInBody},
	{method: "POST", path: "/api/auth/sign-out", access: open},
	{method: "GET", path: "/api/auth/get-session", access: open},
	{method: "GET", path: "/api/auth/session", access: open},
	{method: "GET", path: "/api/auth/list-sessions", access: authMember},
	{method: "POST", path: "/api/auth/revoke-session", access: authMember,
		body: func(*house) string { return object("token", "of-nobody") }},
	{method: "POST", path: "/api/auth/revoke-sessions", access: authMember},
	{method: "POST", path: "/api/auth/revoke-other-sessions", access: authMember},
	{method: "POST", path: "/api/auth/sign-in/email-otp", access: open, body: codeBody("sign-in", newAddress)},
	{method: "POST", path: "/api/auth/email-otp/send-verification-otp", access: open,
		body: func(*house) string { return object("email", aliceEmail, "type", "sign-in") }},
	{method: "POST", path: "/api/auth/email-otp/check-verification-otp", access: open,
		body: codeBody("sign-in", aliceAddress, "type", "sign-in")},
	{method: "POST", path: "/api/auth/email-otp/verify-email", access: open, body: codeBody("email-verification", aliceAddress)},
	{method: "POST", path: "/api/auth/email-otp/request-password-reset", access: open,
		body: func(*house) string { return object("email", aliceEmail) }},
	{method: "POST", path: "/api/auth/forget-password/email-otp", access: open,
		body: func(*house) string { return object("email", aliceEmail) }},
	{method: "POST", path: "/api/auth/email-otp/reset-password", access: open,
		body: codeBody("forget-password", newUsersAddress, "password", "another password")},
	{method: "GET", path: "/api/auth/one-time-token/generate",
		access: authMember.with("401 UNAUTHORIZED", "token", "other user's token")},
	{method: "POST", path: "/api/auth/one-time-token/verify", access: open,
		body: func(h *house) string { return object("token", h.oneTimeToken(bearer(h.aliceSession().raw))) }},
	{method: "POST", path: "/api/auth/sign-in/social", access: everybody("404 PROVIDER_NOT_FOUND"),
		body: func(*house) string { return object("provider", "google") }},
	{method: "GET", path: "/api/auth/callback/{provider}", call: "/api/auth/callback/google", access: everybody("302")},
	{method: "POST", path: "/api/auth/callback/{provider}", call: "/api/auth/callback/google", access: everybody("303")},
	{method: "GET", path: "/api/auth/error", access: open},
	{method: "GET", path: "/api/ott/verify", access: everybody("400").with("403", keys...)},
	{method: "POST", path: "/api/auth/update-user", access: authMember, body: func(*house) string { return object("name", "Alice") }},
	{method: "POST", path: "/api/auth/change-password", access: authMember, body: samePasswordBody},
	{method: "POST", path: "/api/auth/change-email", access: authMember,
		body: func(*house) string { return object("newEmail", "alice.new@example.com") }},
	{method: "POST", path: "/api/auth/delete-user", access: authMember, body: deleteUserBody},
	{method: "GET", path: "/api/auth/list-accounts", access: authMember},
	{method: "POST", path: "/api/auth/request-password-reset", access: open, body: mailToAlice},
	{method: "POST", path: "/api/auth/forget-password", access: open, body: mailToAlice},
	{method: "GET", path: "/api/auth/reset-password/{token}", call: "/api/auth/reset-password/bogus", access: everybody("400 VALIDATION_ERROR")},
	{method: "POST", path: "/api/auth/reset-password", access: everybody("400 INVALID_TOKEN"),
		body: func(*house) string { return object("newPassword", testPassword, "token", "bogus") }},
	{method: "POST", path: "/api/auth/send-verification-email", access: open.with("400 EMAIL_MISMATCH", "other user's token"), body: mailToAlice},
	{method: "GET", path: "/api/auth/verify-email", access: everybody("400 VALIDATION_ERROR")},
	{method: "GET", path: "/api/auth/ok", access: open},
	{method: "GET", path: "/api/auth/{path...}", call: "/api/auth/nothing/here", access: missing},

	{method: "GET", path: "/api/user/profile", access: userOnly},
	{method: "PATCH", path: "/api/user/profile", access: userOnly,
		body: func(*house) string { return object("firstName", "Alice") }},
	// bob's own wallet is empty, and naming alice's does not help him
	{method: "GET", path: "/api/user/api-key", access: userOnly.with("402 insufficient_balance", "other user's token")},
	{method: "POST", path: "/api/user/api-key/rotate", access: userOnly},
	{method: "GET", path: "/api/user/api-keys", access: userOnly},
	{method: "POST", path: "/api/user/api-keys", access: userOnly.with("201", users...), body: firstKeyBody},
	{method: "PATCH", path: "/api/user/api-keys/{id}", access: onAlicesKey, callFor: onKey(""),
		body: func(*house) string { return object("name", "another") }},
	{method: "DELETE", path: "/api/user/api-keys/{id}", access: onAlicesKey, callFor: onKey("")},
	{method: "POST", path: "/api/user/api-keys/{id}/rotate", access: onAlicesKey, callFor: onKey("/rotate")},
	{method: "GET", path: "/api/user/export", access: userOnly},

	{method: "GET", path: "/api/wallet/balance", access: walletRead},
	{method: "GET", path: "/api/wallet/status", access: walletRead},
	{method: "GET", path: "/api/wallet/ledger", access: walletRead},
	{method: "GET", path: "/api/wallet/usage", access: walletRead},
	{method: "GET", path: "/api/wallet/usage/summary", access: walletRead},
	{method: "GET", path: "/api/wallet/statement", access: walletRead},
	{method: "POST", path: "/api/wallet/mint", access: admin, body: ofAlice("amount", 1)},
	{method: "POST", path: "/api/wallet/use", access: spender, body: ofAlice("amount", 1)},
	{method: "POST", path: "/api/wallet/use/batch", access: spender,
		body: ofAlice("uses", []map[string]any{{"amount": 1}})},
	{method: "POST", path: "/api/wallet/holds", access: spender.with("201", "charge key", "superuser"), body: ofAlice("amount", 1)},
	{method: "GET", path: "/api/wallet/holds", access: spender},
	{method: "POST", path: "/api/wallet/holds/{id}/extend", access: spender, callFor: onHold("extend"), body: ofAlice("amount", 1)},
	{method: "POST", path: "/api/wallet/holds/{id}/settle", access: spender, callFor: onHold("settle"), body: ofAlice("amount", 1)},
	{method: "POST", path: "/api/wallet/holds/{id}/release", access: spender, callFor: onHold("release")},
	{method: "POST", path: "/api/wallet/refund", access: admin, body: refundBody},
	{method: "POST", path: "/api/wallet/adjust", access: admin, body: ofAlice("amount", -1, "description", "a test")},
	{method: "POST", path: "/api/wallet/freeze", access: admin, body: freezeBody},
	{method: "POST", path: "/api/wallet/unfreeze", access: admin, body: ofAlice("reason", "a test")},

	{method: "GET", path: "/api/health/db", access: open},
	{method: "GET", path: "/api/health/kv", access: open},
	{method: "GET", path: "/api/health/ready", access: open},
	{method: "GET", path: "/api/{path...}", call: "/api/nothing/here", access: missing.with("403", keys...)},
	{method: "GET", path: "/v1/models", access: gatewayCaller.with("200", slices.Concat(users, keys)...).with("403 forbidden", "charge key")},
	{method: "GET", path: "/v1/models/{model...}", call: "/v1/models/gpt-4o", access: gatewayCaller},
	{method: "POST", path: "/v1/chat/completions", access: gatewayCaller, body: modelBody},
	{method: "POST", path: "/v1/responses", access: gatewayCaller, body: modelBody},
	{method: "POST", path: "/v1/embeddings", access: gatewayCaller, body: modelBody},
	{method: "POST", path: "/v1/audio/transcriptions", access: gatewayCaller.with("400 invalid_request", admittedToGateway...), body: modelBody},
	{method: "POST", path: "/v1/audio/speech", access: gatewayCaller, body: modelBody},
	{method: "POST", path: "/v1/images/generations", access: gatewayCaller, body: modelBody},
	{method: "POST", path: "/v1/messages", access: gatewayCaller, body: modelBody},
	{method: "GET", path: "/v1/realtime", call: "/v1/realtime?model=gpt-realtime", access: gatewayCaller.with("426 upgrade_required", admittedToGateway...)},
	{method: "GET", path: "/v1/realtime/translations", call: "/v1/realtime/translations?model=gpt-realtime-translate", access: gatewayCaller.with("426 upgrade_required", admittedToGateway...)},
	{method: "GET", path: "/v1/{path...}", call: "/v1/nothing/here", access: everybody("404 not_found")},
}

// cell returns what a role gets on a route, a cookie's origin considered.
func (r matrixRow) cell(role string) string {
	abroad, noOrigin := role == "cookie from abroad", role == "cookie, no origin"
	if r.method == http.MethodGet || !abroad && !noOrigin {
		return r.access[role]
	}
	if !strings.HasPrefix(r.path, "/api/auth/") {
		return "403 forbidden"
	}
	if noOrigin {
		return "403 MISSING_OR_NULL_ORIGIN"
	}
	return "403 INVALID_ORIGIN"
}

func TestRoleMatrix(t *testing.T) {
	for _, row := range roleMatrix {
		t.Run(row.route(), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.mint(h.alice, 1000)
			for _, role := range slices.Sorted(maps.Keys(roles)) {
				path, body := row.path, ""
				if row.call != "" {
					path = row.call
				}
				if row.callFor != nil {
					path = row.callFor(h)
				}
				if row.body != nil {
					body = row.body(h)
				}
				got := h.do(row.method, path+"?userId="+h.alice.Id, roles[role](h), body)
				if want := row.cell(role); got.outcome() != want {
					t.Errorf("%s: %q, want %q: %s", role, got.outcome(), want, got.body)
				}
			}
		})
	}
}

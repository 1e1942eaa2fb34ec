package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sokuji/e2e/testserver"
)

// tour visits every route, well and badly, and collects the secrets that it sees
// and sends on the way.
type tour struct {
	t        *testing.T
	server   *testserver.Server
	secrets  map[string]string // by a name for people
	printed  string            // by commands beside the server
	requests int
}

const (
	canaryRight = "CanaryRightPw8Df3Gj"
	canaryWrong = "CanaryWrongPw6Sk1Mb"
	canaryNext  = "CanaryNextPw2Ty7Ex"
	canaryBatch = "CanaryBatchPw5Io9Az"
	canaryShell = "CanaryShellPw3Lh6Cv"
)

// canaryLong does not fit PocketBase's own field and is stored another way.
var canaryLong = strings.Repeat("CanaryLongPw7Uq4Fn", 5)

// brokenPassword is JSON that ends in the middle of a password.
var brokenPassword = []byte(`{"email":"broken@example.com","identity":"broken@example.com","password":"` + canaryWrong)

// visit makes a request. Whatever it is, it must not end in an internal error.
func (v *tour) visit(r testserver.Request) testserver.Answer {
	v.t.Helper()
	v.requests++
	answer, err := v.server.Call(bounded(v.t), r)
	if err != nil {
		v.t.Fatalf("%s %s: %v", r.Method, r.Path, err)
	}
	if answer.Status >= http.StatusInternalServerError {
		v.t.Errorf("%s %s with %s answers %d: %s", r.Method, r.Path, r.Body, answer.Status, answer.Body)
	}
	return answer
}

// mustVisit is for requests whose success the tour rests on. It returns the text
// under the key of the answer's JSON and keeps it as a secret of that name.
func (v *tour) mustVisit(name, key string, r testserver.Request) string {
	v.t.Helper()
	answer := v.visit(r)
	fields := map[string]any{}
	if err := answer.Decode(&fields); answer.Status != http.StatusOK || err != nil {
		v.t.Fatalf("%s: %s answers %d %s (%v)", name, r.Path, answer.Status, answer.Body, err)
	}
	text, ok := fields[key].(string)
	if !ok || text == "" {
		v.t.Fatalf("%s: %s has no %s: %s", name, r.Path, key, answer.Body)
	}
	v.secrets[name] = text
	return text
}

func post(path, token string, body any) testserver.Request {
	return testserver.Request{Method: http.MethodPost, Path: path, Token: token, Body: body}
}

func (v *tour) run() {
	for name, password := range map[string]string{
		"a password": canaryRight, "a wrong password": canaryWrong, "a new password": canaryNext,
		"a long password": canaryLong, "a password of a batch": canaryBatch, "a password of the command line": canaryShell,
	} {
		v.secrets[name] = password
	}
	root := v.mustVisit("a superuser's JWT", "token", post("/api/collections/_superusers/auth-with-password", "",
		map[string]string{"identity": testserver.SuperuserEmail, "password": canaryRoot}))
	v.betterAuth()
	userID, jwt := v.pocketBase(root)
	session := v.session("tourist@example.com", canaryRight)
	key := v.user(session, jwt, root, userID)
	v.wallet(root, []string{"", "no such token", session, jwt, key}, userID)
	v.commandLine()
}

// session signs in by Better Auth's road.
func (v *tour) session(email, password string) string {
	return v.mustVisit(fmt.Sprintf("session %d", len(v.secrets)), "token",
		post("/api/auth/sign-in/email", "", map[string]string{"email": email, "password": password}))
}

func (v *tour) betterAuth() {
	for name, form := range map[string]map[string]string{
		"the session of a sign-up":         {"name": "Aoi", "email": "aoi@example.com", "password": canaryRight},
		"the session of a longer password": {"name": "Umi", "email": "umi@example.com", "password": canaryLong},
	} {
		v.mustVisit(name, "token", post("/api/auth/sign-up/email", "", form))
		v.visit(post("/api/auth/sign-up", "", form)) // taken
	}
	v.session("umi@example.com", canaryLong)
	for _, path := range []string{"/api/auth/sign-in/email", "/api/auth/sign-up/email"} {
		v.visit(post(path, "", map[string]string{"email": "aoi@example.com", "password": canaryWrong}))
		v.visit(post(path, "", map[string]any{"email": 7, "password": []string{canaryWrong}}))
		v.visit(post(path, "", brokenPassword))
	}

	first, second := v.session("aoi@example.com", canaryRight), v.session("aoi@example.com", canaryRight)
	signed := v.visit(post("/api/auth/sign-in/email", "", map[string]string{"email": "aoi@example.com", "password": canaryRight}))
	v.secrets["a signed session"] = signed.Header.Get("set-auth-token")
	cookie, _, _ := strings.Cut(signed.Header.Get("Set-Cookie"), ";")
	_, v.secrets["a session cookie"], _ = strings.Cut(cookie, "=")
	for _, path := range []string{"get-session", "session", "list-sessions", "ok", "no-such-route"} {
		path = "/api/auth/" + path
		v.visit(testserver.Request{Path: path})
		v.visit(testserver.Request{Path: path, Token: first})
		v.visit(testserver.Request{Path: path, Token: v.secrets["a signed session"]})
		v.visit(testserver.Request{Path: path, Header: http.Header{"Cookie": {cookie}, "Origin": {v.server.URL}}})
	}
	v.visit(post("/api/auth/revoke-session", first, map[string]string{"token": second}))
	v.visit(post("/api/auth/revoke-session", first, []byte(`{"token":"`+second)))
	for _, path := range []string{"revoke-other-sessions", "revoke-sessions", "sign-out"} {
		token := v.session("aoi@example.com", canaryRight)
		v.visit(post("/api/auth/"+path, "", map[string]string{}))
		v.visit(post("/api/auth/"+path, token, map[string]string{}))
		v.visit(post("/api/auth/"+path, token, map[string]string{}))                                                             // dead
		v.visit(testserver.Request{Method: http.MethodPost, Path: "/api/auth/" + path, Header: http.Header{"Cookie": {cookie}}}) // without Origin
	}
}

// pocketBase visits PocketBase's own routes for users, and returns the id and the
// JWT of the user that it makes.
func (v *tour) pocketBase(root string) (userID, jwt string) {
	const users = "/api/collections/users/"
	account := map[string]string{
		"name": "Tourist", "email": "tourist@example.com", "password": canaryNext, "passwordConfirm": canaryNext,
	}
	userID = v.mustVisit("", "id", post(users+"records", "", account))
	delete(v.secrets, "") // an id is no secret
	v.visit(post(users+"records", "", account))
	v.visit(post(users+"records", "", brokenPassword))
	signIn := func(password string) testserver.Request {
		return post(users+"auth-with-password", "", map[string]string{"identity": account["email"], "password": password})
	}
	jwt = v.mustVisit("a user's JWT", "token", signIn(canaryNext))
	v.visit(signIn(canaryWrong))
	v.visit(post(users+"auth-with-password", "", brokenPassword))
	v.mustVisit("a refreshed JWT", "token", post(users+"auth-refresh", jwt, map[string]string{}))
	v.mustVisit("an impersonating JWT", "token", post(users+"impersonate/"+userID, root, map[string]int{"duration": 60}))
	v.mustVisit("a file token", "token", post("/api/files/token", jwt, map[string]string{}))

	change := map[string]string{"oldPassword": canaryWrong, "password": canaryRight, "passwordConfirm": canaryRight}
	v.visit(testserver.Request{Method: http.MethodPatch, Path: users + "records/" + userID, Token: jwt, Body: change})
	change["oldPassword"] = canaryNext
	v.visit(testserver.Request{Method: http.MethodPatch, Path: users + "records/" + userID, Token: jwt, Body: change})
	jwt = v.mustVisit("a JWT after the change", "token", signIn(canaryRight))

	for _, path := range []string{"request-password-reset", "request-verification", "request-otp"} {
		v.visit(post(users+path, jwt, map[string]string{"email": account["email"]}))
	}
	v.visit(post(users+"request-email-change", jwt, map[string]string{"newEmail": "moved@example.com"}))
	v.visit(post(users+"confirm-password-reset", "", map[string]string{
		"token": jwt, "password": canaryWrong, "passwordConfirm": canaryWrong,
	}))
	v.visit(post(users+"confirm-email-change", "", map[string]string{"token": jwt, "password": canaryWrong}))
	v.visit(post("/api/collections/_superusers/auth-with-password", "",
		map[string]string{"identity": testserver.SuperuserEmail, "password": canaryWrong}))
	v.visit(post("/api/batch", jwt, map[string]any{"requests": []map[string]any{{
		"method": http.MethodPost, "url": users + "records",
		"body": map[string]string{"email": "batch@example.com", "password": canaryBatch, "passwordConfirm": canaryBatch},
	}}}))
	v.visit(post("/api/sql", root, map[string]string{"query": "SELECT '" + canaryWrong + "'"}))
	for _, collection := range []string{"users", "sessions", "api_keys", "wallets", "wallet_ledger", "usage_logs", "prices", "_superusers"} {
		for _, token := range []string{"", jwt, root} {
			v.visit(testserver.Request{Path: "/api/collections/" + collection + "/records", Token: token})
			v.visit(post("/api/collections/"+collection+"/records", token, map[string]string{"password": canaryWrong}))
		}
	}
	return userID, jwt
}

// user visits the routes of the signed-in user, and returns an API key in force.
func (v *tour) user(session, jwt, root, userID string) string {
	get := testserver.Request{Path: "/api/user/api-key", Token: session}
	v.visit(get) // the wallet is empty
	v.visit(post("/api/wallet/mint", root, map[string]any{"userId": userID, "amount": 1_000}))
	first := v.mustVisit("the first API key", "apiKey", get)
	second := v.mustVisit("the second API key", "apiKey", post("/api/user/api-key/rotate", jwt, map[string]string{}))
	for _, token := range []string{"", "no such token", session, jwt, first, second, root} {
		v.visit(testserver.Request{Path: get.Path, Token: token})
		v.visit(testserver.Request{Path: get.Path, Header: http.Header{"X-Api-Key": {token}}})
		v.visit(testserver.Request{Path: "/api/user/profile", Token: token})
		v.visit(testserver.Request{Method: http.MethodPatch, Path: "/api/user/profile", Token: token, Body: map[string]string{"firstName": "Aoi"}})
		v.visit(testserver.Request{Method: http.MethodPatch, Path: "/api/user/profile", Token: token, Body: brokenPassword})
		v.visit(post("/api/user/api-key/rotate", token, brokenPassword))
	}
	return second
}

// wallet visits the wallet routes: with every kind of caller and with bodies that
// name no wallet, then the way a superuser does it right.
func (v *tour) wallet(root string, others []string, userID string) {
	writes := []string{"mint", "use", "refund", "adjust", "freeze", "unfreeze"}
	for _, token := range append(others, root) {
		for _, path := range []string{"balance", "status", "ledger", "usage", "ledger?cursor=broken", "no-such-route"} {
			v.visit(testserver.Request{Path: "/api/wallet/" + path, Token: token})
		}
		for _, path := range writes {
			v.visit(post("/api/wallet/"+path, token, map[string]any{"amount": 1, "reason": "tour"}))
			v.visit(post("/api/wallet/"+path, token, brokenPassword))
		}
	}

	minted, err := v.server.Mint(bounded(v.t), testserver.Op{UserID: userID, Amount: 10, ExternalEventID: "evt_tour", Token: root})
	if err != nil {
		v.t.Fatal(err)
	}
	for _, path := range writes {
		answer := v.visit(post("/api/wallet/"+path, root, map[string]any{
			"userId": userID, "amount": 1, "ledgerId": minted.Entry.ID, "description": "tour", "reason": "tour",
		}))
		if answer.Status != http.StatusOK {
			v.t.Errorf("%s answers %d: %s", path, answer.Status, answer.Body)
		}
	}
	for _, path := range []string{"balance", "status", "ledger", "usage"} {
		v.visit(testserver.Request{Path: "/api/wallet/" + path + "?userId=" + userID, Token: root})
	}
	for _, path := range []string{"/api/health", "/api/health/db", "/api/health/kv", "/api/health/ready", "/v1/models", "/"} {
		for _, token := range append(others, root) {
			v.visit(testserver.Request{Path: path, Token: token})
		}
	}
}

func (v *tour) commandLine() {
	output, exitCode, err := testserver.Run(bounded(v.t), testserver.Options{Dir: v.server.Dir},
		"superuser", "upsert", testserver.SuperuserEmail, canaryShell)
	if err != nil || exitCode != 0 {
		v.t.Errorf("superuser upsert ended with exit code %d, %v: %s", exitCode, err, output)
	}
	v.printed = output
}

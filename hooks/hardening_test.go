package hooks

import (
	"crypto/rand"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/accounts/password"
)

// A user with a scrypt hash is answered by our own hook; the throttle must have
// been asked before it.
func TestScryptUsersAreThrottledToo(t *testing.T) {
	h := newHouse(t, "AUTH_RATE_LIMIT", "3")
	hash, err := password.HashScrypt(rand.Reader, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	h.mustExecute("INSERT INTO scrypt_passwords (user_id, hash) VALUES ({:u}, {:h})", "u", h.alice.Id, "h", hash)
	for attempt := range 5 {
		want := 400
		if attempt >= 3 {
			want = 429
		}
		roads["PocketBase"].signIn(h, aliceEmail, "wrong password").want(want)
	}
}

// Hashing is slow. Done inside the write transaction it would hold up all money.
func TestPasswordsAreHashedBeforeTheTransaction(t *testing.T) {
	h := newHouse(t)
	inside := false
	h.app.OnRecordCreate(usersCollection).BindFunc(func(e *core.RecordEvent) error {
		if e.App.IsTransactional() {
			inside = true
			if plain := e.Record.GetString(core.FieldNamePassword); plain != "" && !password.FitsBcrypt(plain) {
				t.Error("a password that is still to be hashed came into the transaction")
			}
		}
		return e.Next()
	})
	roads["Better Auth"].signUp(h, "new@example.com", strings.Repeat("long pass ", 10)).want(200)
	if !inside {
		t.Fatal("the hook did not run inside the transaction: the test tests nothing")
	}
}

// Tokens of an auth collection of the operator's own end as PocketBase ends them.
func TestTokensOfOtherCollectionsCanBeRevoked(t *testing.T) {
	h := newHouse(t)
	staff := core.NewAuthCollection("staff")
	if err := h.app.Save(staff); err != nil {
		t.Fatal(err)
	}
	record := core.NewRecord(staff)
	record.SetEmail("staff@example.com")
	record.SetPassword("staff password")
	if err := h.app.Save(record); err != nil {
		t.Fatal(err)
	}
	token := h.token(record)
	for range 2 {
		h.do("POST", "/api/collections/staff/auth-refresh", token, "").want(200)
	}
	record.RefreshTokenKey()
	if err := h.app.Save(record); err != nil {
		t.Fatal(err)
	}
	h.do("POST", "/api/collections/staff/auth-refresh", token, "").want(401)
}

// A key that leaked, was rotated away and deleted by an admin stays dead.
func TestADeletedKeyNeverComesBack(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	leaked := h.defaultKey()
	h.do("POST", "/api/user/api-key/rotate", h.asAlice(), "{}").want(200)
	h.do("DELETE", "/api/collections/api_keys/records/"+h.aliceKey().Id, h.asRoot(), "").want(204)
	for range 3 {
		if key := h.defaultKey(); key == leaked {
			t.Fatal("the leaked key is shown again")
		}
		h.do("POST", "/api/user/api-key/rotate", h.asAlice(), "{}").want(200)
		h.do("GET", "/api/wallet/balance", bearer(leaked), "").want(401)
	}
}

func (h *house) aliceKey() *core.Record {
	h.t.Helper()
	record, err := h.app.FindFirstRecordByFilter(keysCollection, "user = {:u}", map[string]any{"u": h.alice.Id})
	if err != nil {
		h.t.Fatal(err)
	}
	return record
}

// A key that an admin disabled is not handed out as if it worked.
func TestADisabledKeyIsNotShown(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	key := h.defaultKey()
	h.do("PATCH", "/api/collections/api_keys/records/"+h.aliceKey().Id, h.asRoot(), object("disabled", true)).want(200)
	h.do("GET", "/api/wallet/balance", bearer(key), "").want(401)
	h.do("GET", "/api/user/api-key", h.asAlice(), "").wantOutcome("403 forbidden")
	h.do("POST", "/api/user/api-key/rotate", h.asAlice(), "{}").wantOutcome("403 forbidden")
	h.do("PATCH", "/api/collections/api_keys/records/"+h.aliceKey().Id, h.asRoot(), object("disabled", false)).want(200)
	h.do("GET", "/api/wallet/balance", bearer(h.defaultKey()), "").want(200)
}

// Whoever signed up with somebody else's address loses all of it when the owner
// proves the address: password, session and key.
func TestAClaimEndsTheKeysOfWhoeverSignedUp(t *testing.T) {
	h := newHouse(t)
	users, err := h.app.FindCollectionByNameOrId(usersCollection)
	if err != nil {
		t.Fatal(err)
	}
	users.OTP.Enabled = true
	if err := h.app.Save(users); err != nil {
		t.Fatal(err)
	}
	attacker := bearer(roads["Better Auth"].signUp(h, "victim@example.com", "attacker password").want(200).text("token"))
	key := h.do("POST", "/api/user/api-key/rotate", attacker, "{}").want(200).text("apiKey")

	otp := h.do("POST", "/api/collections/users/request-otp", nobody, object("email", "victim@example.com")).want(200).text("otpId")
	h.do("POST", "/api/collections/users/auth-with-otp", nobody, object("otpId", otp, "password", h.mailedCode())).want(200)

	h.do("GET", "/api/user/profile", attacker, "").want(401)
	h.do("GET", "/api/wallet/balance", bearer(key), "").want(401)
	roads["PocketBase"].signIn(h, "victim@example.com", "attacker password").want(400)
}

// The same with a long password, whose scrypt hash PocketBase knows nothing of.
func TestAClaimEndsALongPasswordToo(t *testing.T) {
	h := newHouse(t)
	long := strings.Repeat("attacker ", 12)
	roads["Better Auth"].signUp(h, "victim@example.com", long).want(200)
	record := h.record(usersCollection, "victim@example.com")
	record.SetVerified(true)
	record.SetRandomPassword() // what PocketBase does when an address is proven by a code or by OAuth2
	if err := h.app.Save(record); err != nil {
		t.Fatal(err)
	}
	for name, road := range roads {
		if status := road.signIn(h, "victim@example.com", long).status; status == 200 {
			t.Errorf("%s: the attacker's password still opens the account", name)
		}
	}
	if left := h.count("scrypt_passwords", "user_id = {:u}", "u", record.Id); left != 0 {
		t.Errorf("%d hashes are left", left)
	}
}

// A key with scopes that nobody knows is refused in the dashboard; one that came in
// another way opens nothing and does not keep the server from starting.
func TestUnknownScopesHarmNobodyElse(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	key := h.defaultKey()
	row := h.aliceKey().Id
	h.do("PATCH", "/api/collections/api_keys/records/"+row, h.asRoot(), object("scopes", []string{"wallet:steal"})).want(400)
	h.do("GET", "/api/wallet/balance", bearer(key), "").want(200)

	h.mustExecute(`UPDATE api_keys SET scopes = '["wallet:steal"]' WHERE id = {:id}`, "id", row)
	started := newKeyCache(h.app)
	if err := started.load(); err != nil {
		t.Fatalf("the server would not start: %v", err)
	}
	if started.checker.Len() != 0 {
		t.Error("the key opens something")
	}
}

// mailedCode waits for the mail, which PocketBase sends from the background, and
// for the note that it was sent, without which the code proves no address.
func (h *house) mailedCode() string {
	h.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if h.count("_otps", "sentTo != ''") == 0 {
			continue
		}
		if code := regexp.MustCompile(`\b(\d{6,8})\b`).FindStringSubmatch(h.app.TestMailer.LastMessage().HTML); code != nil {
			return code[1]
		}
	}
	h.t.Fatal("no code was mailed")
	return ""
}

// Verifying an address by its link, with nothing else, takes no keys away.
func TestVerifyingAloneKeepsTheKeys(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	key := h.defaultKey()
	h.do("PATCH", "/api/collections/users/records/"+h.alice.Id, h.asRoot(), object("verified", true)).want(200)
	h.do("GET", "/api/wallet/balance", bearer(key), "").want(200)
}

// A form that was opened before a payment must not take the paid plan away.
func TestAStaleEntitlementIsNotSaved(t *testing.T) {
	h := newHouse(t)
	stale, err := h.app.FindFirstRecordByFilter(entitlementsCollection, "subject_id = {:u}", map[string]any{"u": h.alice.Id})
	if err != nil {
		t.Fatal(err)
	}
	h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "planId", "pro_plan", "amountCents", 5000)).want(200)
	stale.Set("rate_limit_rpm", 61)
	if err := h.app.Save(stale); err == nil || !strings.Contains(err.Error(), "load it again") {
		t.Fatalf("got %v", err)
	}
	if plan := h.do("GET", "/api/wallet/balance", h.asAlice(), "").want(200).text("planId"); plan != "pro_plan" {
		t.Fatalf("the plan is %s", plan)
	}
}

func TestListsOfUnknownWalletsAre404(t *testing.T) {
	h := newHouse(t)
	for _, list := range []string{"balance", "status", "ledger", "usage"} {
		h.do("GET", "/api/wallet/"+list+"?userId=nosuchuser", h.asRoot(), "").wantOutcome("404 wallet_not_found")
	}
}

// A row that breaks the rules of a wallet stops its own operations, not the server.
func TestABrokenWalletStopsOnlyItself(t *testing.T) {
	h := newHouse(t)
	h.mustExecute("UPDATE wallets SET frozen = TRUE WHERE id = {:u}", "u", h.alice.Id)
	h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.alice.Id, "amount", 5)).wantOutcome("503 overloaded")
	h.do("POST", "/api/wallet/mint", h.asRoot(), object("userId", h.bob.Id, "amount", 5)).want(200)
}

package hooks

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

	"sokuji/internal/apikeys"
	"sokuji/internal/betterauth"
)

// A credential that is not valid makes nobody of its bearer.
func TestBadCredentialsOpenNothing(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	for name, as := range badCredentials(h) {
		t.Run(name, func(t *testing.T) {
			h := h.in(t)
			before := h.snapshot()
			h.do("GET", "/api/wallet/balance", as, "").wantOutcome("401 unauthorized")
			h.do("GET", "/api/user/profile", as, "").wantOutcome("401 unauthorized")
			h.do("POST", "/api/wallet/use", as, object("amount", 1)).wantOutcome("401 unauthorized")
			h.do("POST", "/api/wallet/mint", as, object("amount", 1, "userId", h.alice.Id)).wantOutcome("401 unauthorized")
			h.do("GET", "/api/auth/list-sessions", as, "").wantOutcome("401 UNAUTHORIZED")
			if body := string(h.do("GET", "/api/auth/get-session", as, "").want(200).body); body != "null" {
				t.Errorf("get-session answers %s", body)
			}
			if got := listed(h.do("GET", "/api/collections/wallets/records", as, "")); got != "0" {
				t.Errorf("the record API shows %s wallets", got)
			}
			h.unchanged(before)
		})
	}
}

// changed is a text with another letter at one place.
func changed(text string, at int) string {
	other := "B"
	if text[at:at+1] == other {
		other = "A"
	}
	return text[:at] + other + text[at+1:]
}

func badCredentials(h *house) map[string]credential {
	h.t.Helper()
	session := h.aliceSession()
	token := h.tokenText(h.alice)
	jwt := func(claims map[string]any, key string, life time.Duration) credential {
		signed, err := security.NewJWT(claims, key, life)
		if err != nil {
			h.t.Fatal(err)
		}
		return bearer(signed)
	}
	users := h.alice.Collection()
	claims := func(kind string) map[string]any {
		return map[string]any{core.TokenClaimType: kind, core.TokenClaimId: h.alice.Id, core.TokenClaimCollectionId: users.Id}
	}
	key := h.alice.TokenKey() + users.AuthToken.Secret
	apiKey := h.key(apikeys.ScopeWalletCharge)
	return map[string]credential{
		"an expired token":               jwt(claims(core.TokenTypeAuth), key, -time.Minute),
		"a token under another key":      jwt(claims(core.TokenTypeAuth), strings.Repeat("k", 50), time.Hour),
		"a token for another purpose":    jwt(claims(core.TokenTypeVerification), key, time.Hour),
		"a token without a signature":    bearer(token[:strings.LastIndex(token, ".")+1]),
		"a token with another signature": bearer(token[:len(token)-3] + "xyz"),
		"a token cut short":              bearer(token[:len(token)-1]),
		"a token with a changed claim":   bearer(strings.Replace(token, ".", ".e30", 1)),
		"a token with a changed letter":  bearer(changed(token, 20)),
		"an unknown raw session":         bearer(strings.Repeat("A", betterauth.TokenLength)),
		"a session under another secret": bearer(betterauth.Sign([]byte("another secret of 32 characters!"), session.raw)),
		"a session with a changed token": bearer(changed(session.signed, 0)),
		"a raw session in a cookie":      cookie(session.raw, trustedOrigin),
		"a tampered cookie":              cookie(changed(session.signed, 0), trustedOrigin),
		"a cookie with a cut signature":  cookie(session.signed[:len(session.signed)-2], trustedOrigin),
		"the hash of a session":          bearer(h.columns("sessions", "token_hash")[0]),
		"the id of a session":            bearer(h.columns("sessions", "id")[0]),
		"an unknown key":                 bearer(unknownKey(h)),
		"a key with a typing error":      bearer(apiKey[:len(apiKey)-1] + "!"),
		"a key in lower case":            xAPIKey(strings.ToLower(apiKey)),
		"the prefix of a key":            xAPIKey(apiKey[:14]),
		"the hash of a key":              xAPIKey(h.columns("api_keys", "key_hash")[0]),
		"the original's guessable key":   bearer("kizuna-" + h.alice.Id),
		"a session in x-api-key":         xAPIKey(session.raw),
		"basic credentials":              credentialHeader("Basic YWxpY2VAZXhhbXBsZS5jb206cGFzc3dvcmQ="),
		"no text after Bearer":           credentialHeader("Bearer "),
		"an over-long header":            bearer(strings.Repeat("x", 8000)),
		"dots":                           bearer(".."),
	}
}

func credentialHeader(value string) credential {
	return func(r *http.Request) { r.Header.Set("Authorization", value) }
}

func unknownKey(h *house) string {
	key, err := apikeys.Derive([]byte(strings.Repeat("s", 32)), h.alice.Id, 1)
	if err != nil {
		h.t.Fatal(err)
	}
	return key.Reveal()
}

// Keys that an admin disabled or that ran out are dead at once.
func TestDisabledAndExpiredKeysAreDead(t *testing.T) {
	for name, change := range map[string]string{
		"disabled": object("disabled", true),
		"expired":  object("expires_at", "2020-01-01 00:00:00.000Z"),
		"narrowed": object("scopes", []string{}),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.mint(h.alice, 1000)
			key := bearer(h.key(apikeys.ScopeWalletRead))
			h.do("GET", "/api/wallet/balance", key, "").want(200)
			h.do("PATCH", "/api/collections/api_keys/records/"+ofUser("api_keys", "user")(h), h.asRoot(), change).want(200)
			h.do("GET", "/api/wallet/balance", key, "").wantOutcome("401 unauthorized")
		})
	}
}

// Another auth collection's people are PocketBase's own business: nothing of ours
// takes them for a user.
func TestAnotherAuthCollectionIsNobodyHere(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 1000)
	staff := core.NewAuthCollection("staff")
	if err := h.app.Save(staff); err != nil {
		t.Fatal(err)
	}
	stranger := core.NewRecord(staff)
	stranger.SetEmail("staff@example.com")
	stranger.SetPassword(testPassword)
	if err := h.app.Save(stranger); err != nil {
		t.Fatal(err)
	}
	twin := core.NewRecord(staff)
	twin.Id = h.alice.Id
	twin.SetEmail("twin@example.com")
	twin.SetPassword(testPassword)
	if h.app.Save(twin) == nil {
		t.Error("two people of different collections share an id, and so a wallet")
	}
	as := h.token(stranger)
	for _, path := range []string{"/api/wallet/balance", "/api/wallet/ledger", "/api/user/profile", "/api/user/api-key"} {
		h.do("GET", path, as, "").wantOutcome("401 unauthorized")
	}
	h.do("POST", "/api/wallet/mint", as, object("userId", h.alice.Id, "amount", 1)).wantOutcome("401 unauthorized")
	for _, collection := range []string{"wallets", "wallet_ledger", "app_user", "entitlements", "usage_logs"} {
		if got := listed(h.do("GET", "/api/collections/"+collection+"/records", as, "")); got != "0" {
			t.Errorf("somebody of another collection sees %s rows of %s", got, collection)
		}
	}
}

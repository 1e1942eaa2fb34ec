package hooks

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"

	"github.com/pocketbase/pocketbase/core"
)

// tokenRoads are the ways by which PocketBase hands a token to alice.
var tokenRoads = map[string]func(*house) answer{
	"password":      (*house).byPassword,
	"otp":           (*house).byOTP,
	"oauth2":        (*house).byOAuth2,
	"impersonation": (*house).byImpersonation,
}

const usersRoute = "/api/collections/users/"

func (h *house) byPassword() answer {
	h.t.Helper()
	return h.do("POST", usersRoute+"auth-with-password", nobody, object("identity", aliceEmail, "password", testPassword), "User-Agent", "test agent")
}

func (h *house) byImpersonation() answer {
	h.t.Helper()
	return h.do("POST", usersRoute+"impersonate/"+h.alice.Id, h.asRoot(), object("duration", 3600), "User-Agent", "test agent")
}

// byOTP makes the code here instead of reading the mail.
func (h *house) byOTP() answer {
	h.t.Helper()
	h.setUsers(func(users *core.Collection) { users.OTP.Enabled = true })
	otp := core.NewOTP(h.app)
	otp.SetCollectionRef(h.alice.Collection().Id)
	otp.SetRecordRef(h.alice.Id)
	otp.SetPassword("12345678")
	if err := h.app.Save(otp); err != nil {
		h.t.Fatal(err)
	}
	return h.do("POST", usersRoute+"auth-with-otp", nobody, object("otpId", otp.Id, "password", "12345678"), "User-Agent", "test agent")
}

// byOAuth2 signs in at a provider of the test's own.
func (h *house) byOAuth2() answer {
	h.t.Helper()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"access_token": "t", "token_type": "Bearer", "sub": "1", "email": aliceEmail, "email_verified": true,
		})
	}))
	h.t.Cleanup(provider.Close)
	h.setUsers(func(users *core.Collection) {
		users.OAuth2.Enabled = true
		users.OAuth2.Providers = []core.OAuth2ProviderConfig{{
			Name: "oidc", ClientId: "c", ClientSecret: "s", AuthURL: provider.URL, TokenURL: provider.URL, UserInfoURL: provider.URL,
		}}
	})
	return h.do("POST", usersRoute+"auth-with-oauth2", nobody,
		object("provider", "oidc", "code", "c", "codeVerifier", "v", "redirectURL", "http://localhost/"), "User-Agent", "test agent")
}

// setUsers changes the settings of the users collection.
func (h *house) setUsers(change func(*core.Collection)) {
	h.t.Helper()
	users, err := h.app.FindCollectionByNameOrId(usersCollection)
	if err != nil {
		h.t.Fatal(err)
	}
	change(users)
	if err := h.app.Save(users); err != nil {
		h.t.Fatal(err)
	}
}

// sessionOf is the id of the session that a token names.
func (h *house) sessionOf(token string) string {
	h.t.Helper()
	facts, ok := readToken(token)
	if !ok || facts.sessionID == "" {
		h.t.Fatalf("the token names no session: %q", token)
	}
	return facts.sessionID
}

// works tells whether a token opens the door.
func (h *house) works(token string) bool {
	h.t.Helper()
	switch got := h.do("GET", "/api/wallet/balance", bearer(token), ""); got.status {
	case http.StatusOK:
		return true
	case http.StatusUnauthorized:
		return false
	default:
		h.t.Fatalf("balance answered %d: %s", got.status, got.body)
		return false
	}
}

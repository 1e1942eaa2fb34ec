package hooks

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/security"

	"sokuji/internal/betterauth"
)

// provider is another service that people sign in by. It knows one person at a
// time, and gives out one code after another.
type provider struct {
	*httptest.Server
	mu     sync.Mutex
	person map[string]any
	codes  map[string]string // to the challenge that the browser came with
	tokens int               // how often a token was asked for
}

func newProvider(t *testing.T) *provider {
	p := &provider{codes: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.tokens++
		challenge, known := p.codes[r.FormValue("code")]
		delete(p.codes, r.FormValue("code"))
		if !known || security.S256Challenge(r.FormValue("code_verifier")) != challenge {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"access_token":"a","token_type":"Bearer"}`))
	})
	mux.HandleFunc("GET /user", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		_ = json.NewEncoder(w).Encode(p.person)
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// is makes somebody the person who is signed in at the provider.
func (p *provider) is(id, email string, verified bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person = map[string]any{"sub": id, "email": email, "email_verified": verified, "name": "Person " + id}
}

// allow does what a person does on the provider's page, and returns the query that
// the browser comes back with.
func (p *provider) allow(t *testing.T, address string) url.Values {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	query := parsed.Query()
	if query.Get("code_challenge_method") != "S256" || query.Get("response_type") != "code" {
		t.Fatalf("the browser is sent to %s", address)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	code := security.RandomString(20)
	p.codes[code] = query.Get("code_challenge")
	return url.Values{"code": {code}, "state": {query.Get("state")}}
}

// withProvider is a house whose admin has set up a provider.
func withProvider(t *testing.T, settings ...string) (*house, *provider) {
	h, p := newHouse(t, settings...), newProvider(t)
	h.users(func(c *core.Collection) {
		c.OAuth2.Enabled = true
		c.OAuth2.Providers = []core.OAuth2ProviderConfig{{
			Name: "oidc", ClientId: "client", ClientSecret: "secret",
			AuthURL: p.URL + "/authorize", TokenURL: p.URL + "/token", UserInfoURL: p.URL + "/user",
		}}
	})
	return h, p
}

// begun is a sign-in that a browser is in the middle of.
type begun struct {
	url   string
	state string // the cookie, as the browser sends it back
}

func (h *house) begin(pairs ...any) begun {
	h.t.Helper()
	got := h.do("POST", "/api/auth/sign-in/social", nobody, object(append([]any{"provider", "oidc"}, pairs...)...)).want(200)
	cookie, _, _ := strings.Cut(got.header.Get("Set-Cookie"), ";")
	return begun{url: got.text("url"), state: cookie}
}

// comeBack is the browser on its way back from the provider.
func (h *house) comeBack(query url.Values, cookies ...string) answer {
	h.t.Helper()
	return h.do("GET", "/api/auth/callback/oidc?"+query.Encode(), func(r *http.Request) {
		if len(cookies) > 0 {
			r.Header.Set("Cookie", strings.Join(cookies, "; "))
		}
	}, "")
}

// sessionOf is the session cookie that an answer sets, empty for none.
func sessionOf(a answer) string {
	for _, line := range a.header.Values("Set-Cookie") {
		if value, found := strings.CutPrefix(line, betterauth.SessionTokenCookie+"="); found {
			value, _, _ = strings.Cut(value, ";")
			return value
		}
	}
	return ""
}

func (h *house) sessionUser(signed string) string {
	h.t.Helper()
	return h.do("GET", "/api/auth/get-session", func(r *http.Request) {
		r.Header.Set("Cookie", betterauth.SessionTokenCookie+"="+signed)
	}, "").want(200).text("user.id")
}

func TestSocialSignUpAndSignIn(t *testing.T) {
	h, p := withProvider(t)
	p.is("p1", "Person@Example.com", true)
	for i, want := range []string{"/welcome", "/home"} {
		b := h.begin("callbackURL", "/home", "newUserCallbackURL", "/welcome", "errorCallbackURL", "/oops")
		got := h.comeBack(p.allow(t, b.url), b.state).want(302)
		if got.header.Get("Location") != want {
			t.Fatalf("time %d leads to %s", i+1, got.header.Get("Location"))
		}
		record := h.record(usersCollection, "person@example.com")
		if h.sessionUser(sessionOf(got)) != record.Id || !record.Verified() || record.GetString("name") != "Person p1" {
			t.Errorf("signed in as %q, who is %v", h.sessionUser(sessionOf(got)), record)
		}
		if sessions := h.count("sessions", "user = {:u}", "u", record.Id); sessions != i+1 {
			t.Errorf("after %d sign-ins there are %d sessions", i+1, sessions)
		}
		if got.header.Get("Cache-Control") != "no-store" || got.header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("the headers are %v", got.header)
		}
		if h.balance(record) != 0 || h.count("_externalAuths", "recordRef = {:u}", "u", record.Id) != 1 {
			t.Error("the new user lacks a wallet or a link to the provider")
		}
	}
	if made := h.count("users", "TRUE"); made != 3 {
		t.Errorf("there are %d users", made)
	}
}

func TestSocialAnswer(t *testing.T) {
	h, p := withProvider(t, "PUBLIC_URL", "https://api.example.com")
	got := h.do("POST", "/api/auth/sign-in/social", nobody, object("provider", "oidc", "loginHint", "a@example.com")).want(200)
	address, _ := url.Parse(got.text("url"))
	query := address.Query()
	if got.value("redirect") != true || got.header.Get("Location") != got.text("url") || !strings.HasPrefix(got.text("url"), p.URL+"/authorize?") {
		t.Errorf("the answer is %s, Location %s", got.body, got.header.Get("Location"))
	}
	for name, want := range map[string]string{
		"redirect_uri": "https://api.example.com/api/auth/callback/oidc", "client_id": "client", "login_hint": "a@example.com",
	} {
		if query.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, query.Get(name), want)
		}
	}
	cookie := got.header.Get("Set-Cookie")
	for _, part := range []string{"__Secure-better-auth.state=", "; Max-Age=600", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("the cookie %q lacks %q", cookie, part)
		}
	}
	quiet := h.do("POST", "/api/auth/sign-in/social", nobody, object("provider", "oidc", "disableRedirect", true)).want(200)
	if quiet.value("redirect") != false || quiet.header.Get("Location") != "" {
		t.Errorf("with disableRedirect the answer is %s, Location %q", quiet.body, quiet.header.Get("Location"))
	}
}

func TestSocialRefusals(t *testing.T) {
	h, _ := withProvider(t)
	for _, c := range []struct{ body, outcome string }{
		{`{}`, "400 VALIDATION_ERROR"},
		{`{"provider":"google"}`, "404 PROVIDER_NOT_FOUND"},
		{`{"provider":"oidc'"}`, "404 PROVIDER_NOT_FOUND"},
		{`{"provider":"oidc","idToken":{"token":"x"}}`, "404 ID_TOKEN_NOT_SUPPORTED"},
		{`{"provider":"oidc","callbackURL":"https://evil.example"}`, "403 INVALID_CALLBACK_URL"},
		{`{"provider":"oidc","callbackURL":"//evil.example"}`, "403 INVALID_CALLBACK_URL"},
		{`{"provider":"oidc","errorCallbackURL":"https://evil.example"}`, "403 INVALID_ERROR_CALLBACK_URL"},
		{`{"provider":"oidc","newUserCallbackURL":"javascript:alert(1)"}`, "403 INVALID_NEW_USER_CALLBACK_URL"},
		{`{"provider":"oidc","callbackURL":"/` + strings.Repeat("a", 2000) + `","errorCallbackURL":"/` + strings.Repeat("a", 2000) + `"}`, "400 BAD_REQUEST"},
		{`{"provider":"oidc","disableRedirect":"yes"}`, "400 VALIDATION_ERROR"},
	} {
		if got := h.do("POST", "/api/auth/sign-in/social", nobody, c.body).wantOutcome(c.outcome); got.header.Get("Set-Cookie") != "" || got.header.Get("Location") != "" {
			t.Errorf("%.60s sets a cookie or leads somewhere", c.body)
		}
	}
	h.do("POST", "/api/auth/sign-in/social", nobody, `{"provider":"oidc"}`, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate").
		wantOutcome("403 CROSS_SITE_NAVIGATION_LOGIN_BLOCKED")
	h.users(func(c *core.Collection) { c.MFA.Enabled = true; c.OTP.Enabled = true })
	h.do("POST", "/api/auth/sign-in/social", nobody, `{"provider":"oidc"}`).wantOutcome("400 SOCIAL_SIGN_IN_DISABLED")
	h.users(func(c *core.Collection) { c.MFA.Enabled = false; c.OAuth2.Enabled = false })
	h.do("POST", "/api/auth/sign-in/social", nobody, `{"provider":"oidc"}`).wantOutcome("404 PROVIDER_NOT_FOUND")
}

// Nobody is signed in by a link whose other half is in another browser.
func TestSocialLoginCSRF(t *testing.T) {
	h, p := withProvider(t)
	p.is("attacker", "attacker@example.com", true)
	attacker, victim := h.begin("errorCallbackURL", "/oops"), h.begin("errorCallbackURL", "/oops")
	link := func() url.Values { return p.allow(t, attacker.url) }
	forged := betterauth.StateCookie + "=" + strings.Repeat("A", 200)
	for name, c := range map[string]struct {
		cookies []string
		query   func() url.Values
		error   string
	}{
		"no cookie":         {nil, link, "state_mismatch"},
		"another's cookie":  {[]string{victim.state}, link, "state_mismatch"},
		"a forged cookie":   {[]string{forged}, link, "state_mismatch"},
		"a session alone":   {[]string{betterauth.SessionTokenCookie + "=" + url.QueryEscape(h.aliceSession().signed)}, link, "state_mismatch"},
		"no state":          {[]string{attacker.state}, func() url.Values { return url.Values{"code": link()["code"]} }, "state_not_found"},
		"another state":     {[]string{attacker.state}, func() url.Values { q := link(); q.Set("state", "x"); return q }, "state_mismatch"},
		"no code":           {[]string{attacker.state}, func() url.Values { q := link(); q.Del("code"); return q }, "no_code"},
		"a code of another": {[]string{victim.state}, func() url.Values { q := link(); q.Set("state", p.allow(t, victim.url).Get("state")); return q }, "invalid_code"},
		"a made-up code":    {[]string{attacker.state}, func() url.Values { q := link(); q.Set("code", "x"); return q }, "invalid_code"},
		"the provider said no": {[]string{attacker.state}, func() url.Values {
			return url.Values{"state": link()["state"], "error": {"access_denied\r\n<script>"}}
		}, "access_denied"},
	} {
		t.Run(name, func(t *testing.T) {
			h := h.in(t)
			got := h.comeBack(c.query(), c.cookies...).want(302)
			location, err := url.Parse(got.header.Get("Location"))
			if err != nil || !strings.HasPrefix(location.Query().Get("error"), c.error) {
				t.Errorf("leads to %q", got.header.Get("Location"))
			}
			if location.Host != "" || location.Path != "/oops" && location.Path != "/api/auth/error" {
				t.Errorf("leads to %q", got.header.Get("Location"))
			}
			if session := sessionOf(got); session != "" {
				t.Errorf("signed in as %q", h.sessionUser(session))
			}
		})
	}
	if userExists(h.app, "attacker@example.com") {
		t.Error("an account was made all the same")
	}
}

// The state of one provider is none for another, and not for long.
func TestSocialStateIsBound(t *testing.T) {
	h, p := withProvider(t)
	p.is("p1", "person@example.com", true)
	b := h.begin()
	query := p.allow(t, b.url)
	got := h.do("GET", "/api/auth/callback/google?"+query.Encode(), func(r *http.Request) { r.Header.Set("Cookie", b.state) }, "").want(302)
	if location := got.header.Get("Location"); location != "/api/auth/error?error=state_mismatch" {
		t.Errorf("leads to %q", location)
	}
	first := h.comeBack(query, b.state).want(302)
	if first.header.Get("Location") != "/" || sessionOf(first) == "" {
		t.Fatalf("leads to %q", first.header.Get("Location"))
	}
	if !strings.Contains(strings.Join(first.header.Values("Set-Cookie"), "\n"), betterauth.StateCookie+"=; Max-Age=0") {
		t.Error("the browser keeps the state")
	}
	again := h.comeBack(query, b.state).want(302)
	if sessionOf(again) != "" || !strings.Contains(again.header.Get("Location"), "invalid_code") {
		t.Errorf("the code signs in twice, or: %q", again.header.Get("Location"))
	}
}

// Who is signed in here does not get linked to who comes back from the provider,
// and no session is taken over from before.
func TestSocialIgnoresWhoIsSignedIn(t *testing.T) {
	h, p := withProvider(t)
	p.is("p1", "person@example.com", true)
	before := url.QueryEscape(h.aliceSession().signed)
	b := h.begin()
	got := h.comeBack(p.allow(t, b.url), b.state, betterauth.SessionTokenCookie+"="+before).want(302)
	if user := h.sessionUser(sessionOf(got)); user == h.alice.Id || user == "" {
		t.Errorf("signed in as %q", user)
	}
	if sessionOf(got) == before {
		t.Error("the session from before is the session now")
	}
	if linked := h.count("_externalAuths", "recordRef = {:u}", "u", h.alice.Id); linked != 0 {
		t.Error("alice is linked to somebody else's account")
	}
}

func TestSocialLinksByAVerifiedAddressOnly(t *testing.T) {
	h, p := withProvider(t)
	h.verify(aliceEmail)

	p.is("liar", aliceEmail, false)
	b := h.begin("errorCallbackURL", trustedOrigin+"/oops?a=1")
	got := h.comeBack(p.allow(t, b.url), b.state).want(302)
	if got.header.Get("Location") != trustedOrigin+"/oops?a=1&error=email_not_found" || sessionOf(got) != "" {
		t.Errorf("leads to %q with %q", got.header.Get("Location"), sessionOf(got))
	}

	p.is("alice at the provider", strings.ToUpper(aliceEmail), true)
	b = h.begin()
	got = h.comeBack(p.allow(t, b.url), b.state).want(302)
	if h.sessionUser(sessionOf(got)) != h.alice.Id {
		t.Errorf("leads to %q", got.header.Get("Location"))
	}
	h.signIn(aliceEmail, testPassword) // whose account it was all the time

	// Bob never proved his address; who does takes the account.
	stolen := h.signIn(bobEmail, testPassword)
	p.is("bob at the provider", bobEmail, true)
	b = h.begin()
	got = h.comeBack(p.allow(t, b.url), b.state).want(302)
	if h.sessionUser(sessionOf(got)) != h.bob.Id {
		t.Errorf("leads to %q", got.header.Get("Location"))
	}
	h.do("GET", "/api/user/profile", bearer(stolen.raw), "").want(401)
	h.do("POST", "/api/auth/sign-in/email", nobody, object("email", bobEmail, "password", testPassword)).want(401)
}

func TestSocialKeepsTheRules(t *testing.T) {
	h, p := withProvider(t)
	h.verify(aliceEmail)
	h.users(func(c *core.Collection) { c.CreateRule = nil })
	p.is("p1", "person@example.com", true)
	b := h.begin()
	if got := h.comeBack(p.allow(t, b.url), b.state).want(302); !strings.HasSuffix(got.header.Get("Location"), "error=signup_disabled") {
		t.Errorf("with sign-up closed: %q", got.header.Get("Location"))
	}
	if userExists(h.app, "person@example.com") {
		t.Error("somebody signed up though it is closed")
	}
	rule := `name != "Alice"`
	h.users(func(c *core.Collection) { c.AuthRule = &rule })
	p.is("p2", aliceEmail, true)
	b = h.begin()
	got := h.comeBack(p.allow(t, b.url), b.state).want(302)
	if !strings.HasSuffix(got.header.Get("Location"), "error=unable_to_link_account") || sessionOf(got) != "" {
		t.Errorf("against the rule: %q", got.header.Get("Location"))
	}
}

// PocketBase's own road goes on as before, with its own token.
func TestSocialLeavesPocketBasesRoadAlone(t *testing.T) {
	h, p := withProvider(t)
	p.is("p1", "Person@example.com", true)
	verifier := security.RandomString(43)
	p.codes["c"] = security.S256Challenge(verifier)
	got := h.do("POST", "/api/collections/users/auth-with-oauth2", nobody, object(
		"provider", "oidc", "code", "c", "codeVerifier", verifier, "redirectURL", "http://localhost/")).want(200)
	h.do("GET", "/api/user/profile", bearer(got.text("token")), "").want(200)
	if !h.record(usersCollection, "person@example.com").Verified() {
		t.Error("an address in upper case is not verified")
	}
}

func TestSocialIsThrottled(t *testing.T) {
	h, p := withProvider(t, "AUTH_RATE_LIMIT", "3")
	p.is("p1", "person@example.com", true)
	var b begun
	for range 3 {
		b = h.begin()
	}
	wantRetry(t, h.do("POST", "/api/auth/sign-in/social", nobody, `{"provider":"oidc"}`).want(429), 10)
	for range 3 {
		h.comeBack(url.Values{"state": {p.allow(t, b.url).Get("state")}, "code": {"x"}}, b.state).want(302)
	}
	asked := p.tokens
	got := h.comeBack(p.allow(t, b.url), b.state).want(302)
	if !strings.HasSuffix(got.header.Get("Location"), "error=too_many_requests") || p.tokens != asked {
		t.Errorf("leads to %q, and the provider was asked %d times more", got.header.Get("Location"), p.tokens-asked)
	}
}

func TestSocialPostedCallback(t *testing.T) {
	h, p := withProvider(t)
	p.is("p1", "person@example.com", true)
	b := h.begin()
	query := p.allow(t, b.url)
	query.Set("evil", "x")
	got := h.do("POST", "/api/auth/callback/oidc", nobody, query.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Origin", foreignOrigin).want(303)
	location := got.header.Get("Location")
	if !strings.HasPrefix(location, "/api/auth/callback/oidc?code=") || strings.Contains(location, "evil") || got.header.Get("Set-Cookie") != "" {
		t.Fatalf("leads to %q", location)
	}
	done := h.do("GET", location, func(r *http.Request) { r.Header.Set("Cookie", b.state) }, "").want(302)
	if sessionOf(done) == "" {
		t.Errorf("leads to %q", done.header.Get("Location"))
	}
}

func TestSocialErrorPage(t *testing.T) {
	h := newHouse(t)
	got := h.do("GET", "/api/auth/error?error=%3Cscript%3Ealert(1)%3C%2Fscript%3E%0D%0AX%3A%20y"+strings.Repeat("z", 500), nobody, "").want(200)
	if got.header.Get("Content-Type") != "text/plain; charset=utf-8" || got.header.Get("X-Content-Type-Options") != "nosniff" || len(got.body) > 400 {
		t.Errorf("the page is %v, %d bytes", got.header, len(got.body))
	}
}

package hooks

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sokuji/internal/accounts"
)

func (h *house) oneTimeToken(as credential) string {
	h.t.Helper()
	got := h.do("GET", "/api/auth/one-time-token/generate", as, "").want(200)
	if got.header.Get("Cache-Control") != "no-store" {
		h.t.Error("the answer may be kept by a cache")
	}
	return got.text("token")
}

func (h *house) useOneTimeToken(token string) answer {
	h.t.Helper()
	return h.do("POST", "/api/auth/one-time-token/verify", nobody, object("token", token))
}

// follow opens a link with a one-time token.
func (h *house) follow(token, redirect string, headers ...string) answer {
	h.t.Helper()
	query := url.Values{"token": {token}}
	if redirect != "" {
		query.Set("redirect", redirect)
	}
	return h.do("GET", "/api/ott/verify?"+query.Encode(), nobody, "", headers...)
}

func TestAOneTimeTokenOpensItsSession(t *testing.T) {
	h := newHouse(t)
	session := h.aliceSession()
	token := h.oneTimeToken(bearer(session.signed))
	got := h.useOneTimeToken(token).want(200)
	shown := h.do("GET", "/api/auth/get-session", bearer(session.raw), "")
	if string(got.body) != string(shown.body) {
		t.Errorf("the token shows %s\nand the session is %s", got.body, shown.body)
	}
	if got.header.Get("set-auth-token") != session.signed || !strings.Contains(got.header.Get("Set-Cookie"), "better-auth.session_token=") {
		t.Errorf("the session is handed out as %v", got.header)
	}
	h.useOneTimeToken(token).wantOutcome("400 INVALID_TOKEN")
	h.follow(token, "").want(400)
}

func TestWhoGetsAOneTimeToken(t *testing.T) {
	h := newHouse(t)
	h.mint(h.alice, 100)
	for name, as := range map[string]credential{
		"nobody": nobody, "a key": bearer(h.defaultKey()), "a superuser": h.asRoot(), "a PocketBase token": h.asAlice(),
		"a token that is none": bearer("x"),
	} {
		if got := h.do("GET", "/api/auth/one-time-token/generate", as, ""); got.outcome() != "401 UNAUTHORIZED" {
			t.Errorf("%s: %s", name, got.outcome())
		}
	}
	h.oneTimeToken(cookie(h.aliceSession().signed, trustedOrigin))
}

func TestAOneTimeTokenEndsWithItsSession(t *testing.T) {
	for name, end := range map[string]func(h *house, as credential){
		"signed out": func(h *house, as credential) { h.do("POST", "/api/auth/sign-out", as, "").want(200) },
		"all revoked": func(h *house, as credential) {
			h.do("POST", "/api/auth/revoke-sessions", as, "").want(200)
		},
		"a new token key": func(h *house, _ credential) {
			record := h.record(usersCollection, aliceEmail)
			record.RefreshTokenKey()
			h.saved(record)
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			as := bearer(h.aliceSession().raw)
			token, link := h.oneTimeToken(as), h.oneTimeToken(as)
			end(h, as)
			if got := h.useOneTimeToken(token).wantOutcome("400 SESSION_NOT_FOUND"); got.header.Get("Set-Cookie") != "" {
				t.Error("a dead session is handed out")
			}
			got := h.follow(link, "/home?x=1").want(302)
			if got.header.Get("Location") != "/home?x=1&error=session_not_found" || got.header.Get("Set-Cookie") != "" {
				t.Errorf("the link leads to %s with %q", got.header.Get("Location"), got.header.Get("Set-Cookie"))
			}
		})
	}
	t.Run("deleted", func(t *testing.T) {
		h := newHouse(t)
		token := h.oneTimeToken(bearer(h.aliceSession().raw))
		if err := h.app.Delete(h.record(usersCollection, aliceEmail)); err != nil {
			t.Fatal(err)
		}
		h.useOneTimeToken(token).wantOutcome("400 INVALID_TOKEN")
	})
}

func TestOneTimeTokensAreNotGuessed(t *testing.T) {
	h := newHouse(t)
	session := h.aliceSession()
	token := h.oneTimeToken(bearer(session.raw))
	code := h.sendCode("sign-in", aliceEmail)
	for _, guess := range []string{"", "x", session.raw, session.signed, code, aliceEmail, strings.ToUpper(token), token + "A", token[1:], "' OR 1=1 --", strings.Repeat("A", 2048)} {
		h.useOneTimeToken(guess).wantOutcome("400 INVALID_TOKEN")
	}
	h.useCode("sign-in", aliceEmail, token[:6]).wantOutcome("400 INVALID_OTP")
	for _, body := range []string{`{}`, `{"token":1}`, `{"token":null}`, `{"token":"` + strings.Repeat("A", 2049) + `"}`} {
		h.do("POST", "/api/auth/one-time-token/verify", nobody, body).wantOutcome("400 VALIDATION_ERROR")
	}
	h.do("POST", "/api/auth/one-time-token/verify", nobody, "token="+token, "Content-Type", "application/x-www-form-urlencoded").wantOutcome("415 UNSUPPORTED_MEDIA_TYPE")
	h.useOneTimeToken(token).want(200)
}

func TestALinkSignsIn(t *testing.T) {
	h := newHouse(t)
	session := h.aliceSession()
	for redirect, want := range map[string]string{
		"": "/", "/": "/", "/wallet?tab=1#top": "/wallet?tab=1#top", trustedOrigin + "/home": trustedOrigin + "/home",
		h.srv.URL + "/home": h.srv.URL + "/home",
	} {
		got := h.follow(h.oneTimeToken(bearer(session.raw)), redirect).want(302)
		if got.header.Get("Location") != want {
			t.Errorf("%q leads to %q", redirect, got.header.Get("Location"))
		}
		if got.header.Get("Referrer-Policy") != "no-referrer" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%q: the headers are %v", redirect, got.header)
		}
		signed, _, _ := strings.Cut(strings.TrimPrefix(got.header.Get("Set-Cookie"), "better-auth.session_token="), ";")
		asPage := func(r *http.Request) { r.Header.Set("Cookie", "better-auth.session_token="+signed) }
		if id := h.do("GET", "/api/auth/get-session", asPage, "").text("user.id"); id != h.alice.Id {
			t.Errorf("%q: the cookie %q belongs to %q", redirect, signed, id)
		}
	}
}

func TestALinkLeadsNowhereElse(t *testing.T) {
	h := newHouse(t)
	token := h.oneTimeToken(bearer(h.aliceSession().raw))
	for _, redirect := range []string{
		"//evil.example", "https://evil.example", "https:evil.example", `/\evil.example`, `\\evil.example`, "/%2fevil.example",
		"javascript:alert(1)", "data:text/html,x", "http://localhost:5173.evil.example", "http://localhost:5173@evil.example",
		"evil.example", "/\r\nSet-Cookie: a=b", "/\tx", "http://localhost:5174/", "ftp://localhost:5173", " https://evil.example",
		strings.Repeat("/a", 2000),
	} {
		if got := h.follow(token, redirect); got.status != 403 || got.header.Get("Location") != "" || got.header.Get("Set-Cookie") != "" {
			t.Errorf("%q is answered %d, Location %q, Set-Cookie %q", redirect, got.status, got.header.Get("Location"), got.header.Get("Set-Cookie"))
		}
	}
	got := h.do("GET", "/api/ott/verify?token="+token+"&redirect=/&redirect=https://evil.example", nobody, "")
	if got.status != 403 {
		t.Errorf("two redirects are answered %d", got.status)
	}
	h.follow(token, "/").want(302) // and all that did not spend it
}

// A page of another site does not sign its visitor in as its own user.
func TestALinkIsNotFollowedFromAnotherSite(t *testing.T) {
	h := newHouse(t)
	token := h.oneTimeToken(bearer(h.aliceSession().raw))
	for _, referer := range []string{"", "https://evil.example/page", "/path", "/path?a=http://localhost:5173", "null", "https://localhost:5173.evil.example/"} {
		for _, site := range []string{"cross-site", "same-site"} {
			headers := []string{"Sec-Fetch-Site", site, "Sec-Fetch-Mode", "navigate"}
			if referer != "" {
				headers = append(headers, "Referer", referer)
			}
			if got := h.follow(token, "/", headers...); got.status != 403 || got.header.Get("Set-Cookie") != "" {
				t.Errorf("%s from %q: %d", site, referer, got.status)
			}
		}
	}
	if got := h.do("HEAD", "/api/ott/verify?token="+token, nobody, ""); got.status != 405 {
		t.Errorf("HEAD is answered %d", got.status)
	}
	h.follow(token, "/", "Sec-Fetch-Site", "cross-site", "Referer", trustedOrigin+"/").want(302)
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "same-site", "Referer", trustedOrigin + "/"}, {"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "none"},
	} {
		h.follow(h.oneTimeToken(bearer(h.aliceSession().raw)), "/", headers...).want(302)
	}
}

func TestAOneTimeTokenHasItsOwnPurpose(t *testing.T) {
	h := newHouse(t)
	token := h.oneTimeToken(bearer(h.aliceSession().raw))
	h.do("GET", "/api/user/profile", bearer(token), "").want(401)
	h.do("GET", "/api/user/profile", cookie(sign(token), trustedOrigin), "").want(401)
	if accounts.OneTimeTokenLifetime.Minutes() != 3 {
		t.Error("three minutes is what clients count on")
	}
}

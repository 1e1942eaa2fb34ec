package betterauth

import (
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

func TestDecodeSignInSocial(t *testing.T) {
	for content, want := range map[string]SignInSocial{
		`{"provider":"google"}`: {Provider: "google"},
		`{"provider":"google","callbackURL":"/a","errorCallbackURL":"/b","newUserCallbackURL":"/c","loginHint":"d","disableRedirect":true}`: {
			Provider: "google", CallbackURL: "/a", ErrorCallbackURL: "/b", NewUserCallbackURL: "/c", LoginHint: "d", DisableRedirect: true},
		`{"provider":"google","idToken":{"token":"x"},"disableRedirect":false}`:                            {Provider: "google", HasIDToken: true},
		`{"provider":"google","scopes":["all"],"additionalParams":{"prompt":"none"},"requestSignUp":true}`: {Provider: "google"},
	} {
		if got, err := DecodeSignInSocial(jsonType, []byte(content)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", content, got, err)
		}
	}
	for _, content := range []string{`{}`, `{"provider":1}`, `{"provider":"a","callbackURL":1}`, `{"provider":"a","disableRedirect":"true"}`,
		`{"provider":"` + strings.Repeat("a", 101) + `"}`, `{"provider":"a","loginHint":"` + strings.Repeat("a", 321) + `"}`, `[]`, `{"provider":"a","provider":"b"}`} {
		if got, err := DecodeSignInSocial(jsonType, []byte(content)); err == nil || got != (SignInSocial{}) {
			t.Errorf("%.60s: %+v, %v", content, got, err)
		}
	}
	if _, err := DecodeSignInSocial(formType, []byte("provider=google")); err != UnsupportedMediaType(formType, jsonType) {
		t.Errorf("a form: %v", err)
	}
}

func TestSignInSocialCheckURLs(t *testing.T) {
	trusted, err := NewOrigins([]string{"http://localhost:5173"})
	if err != nil {
		t.Fatal(err)
	}
	const evil = "https://evil.example"
	for _, c := range []struct {
		form SignInSocial
		want error
	}{
		{SignInSocial{}, nil},
		{SignInSocial{CallbackURL: "/a", ErrorCallbackURL: "http://localhost:5173/b", NewUserCallbackURL: "https://self.example/c"}, nil},
		{SignInSocial{CallbackURL: evil, ErrorCallbackURL: evil}, ErrInvalidCallbackURL},
		{SignInSocial{ErrorCallbackURL: evil}, ErrInvalidErrorURL},
		{SignInSocial{NewUserCallbackURL: evil}, ErrInvalidNewUserURL},
	} {
		if got := c.form.CheckURLs("https://self.example", trusted); got != c.want {
			t.Errorf("%+v: %v, want %v", c.form, got, c.want)
		}
	}
}

var socialState = SocialState{State: "s", Provider: "google", Verifier: "v", RedirectURL: "https://self.example/x",
	CallbackURL: "/a", ErrorURL: "/b", NewUserURL: "/c", ExpiresAt: 100}

// withCookie is a request with the cookie that a Set-Cookie header asked for.
func withCookie(t *testing.T, header string) *http.Request {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	pair, _, _ := strings.Cut(header, ";")
	request.Header.Set("Cookie", pair)
	return request
}

func TestStateCookie(t *testing.T) {
	secret := []byte("secret")
	for _, secure := range []bool{false, true} {
		header, err := NewStateCookie(rand.Reader, secret, secure, socialState)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(header, "google") {
			t.Errorf("the cookie can be read: %s", header)
		}
		if want := "; Max-Age=600" + cookieAttributes(secure); !strings.HasPrefix(header, CookieName(secure, StateCookie)+"=") || !strings.HasSuffix(header, want) {
			t.Errorf("the cookie is %s", header)
		}
		request := withCookie(t, header)
		if got, err := StateFromCookies(secret, request, secure, "s", "google", 99); err != nil || got != socialState {
			t.Errorf("came back as %+v, %v", got, err)
		}
		for name, c := range map[string]struct {
			secret, state, provider string
			now                     int64
			want                    error
		}{
			"another state":    {"secret", "x", "google", 99, ErrStateMismatch},
			"no state":         {"secret", "", "google", 99, ErrStateMismatch},
			"another provider": {"secret", "s", "github", 99, ErrStateMismatch},
			"over":             {"secret", "s", "google", 100, ErrStateMismatch},
			"another secret":   {"other", "s", "google", 99, ErrStateMissing},
		} {
			got, err := StateFromCookies([]byte(c.secret), request, secure, c.state, c.provider, c.now)
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
			if (got != SocialState{}) != (c.want == ErrStateMismatch) {
				t.Errorf("%s: the state is %+v", name, got)
			}
		}
		if _, err := StateFromCookies(secret, request, !secure, "s", "google", 99); !errors.Is(err, ErrStateMissing) {
			t.Errorf("the cookie of the other scheme: %v", err)
		}
	}
	if _, err := StateFromCookies(secret, httptest.NewRequest(http.MethodGet, "/", nil), false, "", "", 0); !errors.Is(err, ErrStateMissing) {
		t.Errorf("without a cookie: %v", err)
	}
}

// A page on a sibling domain can put a cookie of the same name before ours.
func TestStateCookieBesideAForeignOne(t *testing.T) {
	header, err := NewStateCookie(rand.Reader, []byte("secret"), false, socialState)
	if err != nil {
		t.Fatal(err)
	}
	request := withCookie(t, header)
	request.Header.Set("Cookie", StateCookie+"=foreign; "+request.Header.Get("Cookie"))
	if got, err := StateFromCookies([]byte("secret"), request, false, "s", "google", 99); err != nil || got != socialState {
		t.Errorf("came back as %+v, %v", got, err)
	}
}

func TestStateCookieFits(t *testing.T) {
	long := socialState
	long.CallbackURL = "/" + strings.Repeat("a", maxStateLength)
	if header, err := NewStateCookie(rand.Reader, []byte("secret"), true, long); err != ErrStateTooLong || header != "" {
		t.Errorf("too long: %d bytes, %v", len(header), err)
	}
	long.CallbackURL = "/" + strings.Repeat("a", maxStateLength-300)
	if header, err := NewStateCookie(rand.Reader, []byte("secret"), true, long); err != nil || len(header) > 4096 {
		t.Errorf("the longest: %d bytes, %v", len(header), err)
	}
	if header, err := NewStateCookie(iotest.ErrReader(errors.New("no entropy")), []byte("secret"), true, socialState); err == nil || header != "" {
		t.Errorf("without random bytes: %q, %v", header, err)
	}
	if got := ExpiredStateCookie(true); got != "__Secure-better-auth.state=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax" {
		t.Errorf("the end of it is %q", got)
	}
}

func FuzzStateFromCookies(f *testing.F) {
	header, err := NewStateCookie(rand.Reader, []byte("secret"), false, socialState)
	if err != nil {
		f.Fatal(err)
	}
	pair, _, _ := strings.Cut(header, ";")
	f.Add(pair, "s")
	f.Add(StateCookie+"=foreign; "+pair, "s")
	f.Add("", "")
	f.Add(StateCookie+"=", "s")
	f.Fuzz(func(t *testing.T, cookies, state string) {
		request := httptest.NewRequest(http.MethodGet, "/", nil)
		request.Header.Set("Cookie", cookies)
		got, err := StateFromCookies([]byte("secret"), request, false, state, "google", 99)
		if err == nil && got != socialState {
			t.Fatalf("%q gave %+v", cookies, got)
		}
		if errors.Is(err, ErrStateMissing) && got != (SocialState{}) {
			t.Fatalf("refused, yet a state: %+v", got)
		}
	})
}

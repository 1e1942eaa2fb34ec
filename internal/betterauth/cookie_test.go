package betterauth

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestSessionCookieAsRecorded(t *testing.T) {
	const secureSigned = "ZAQcIhPAQof6wvNxvatbD09jnDvcQ6MI.pODv8nUayQfzSijhG5ntxFPHnH6+4aqi8He+AWhaLpI="
	for _, c := range []struct {
		name   string
		secure bool
		signed string
		maxAge int
		want   string
	}{
		{"plain", false, recordedSigned, 604800,
			"better-auth.session_token=9c8xVWYq9f512D6WqA6l9FzY1r5VwSgI.34NR5XwcNsAY1Q3qsdK%2B84tyBifThtBFWSP7ojFsim4%3D; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"},
		{"plain, until the browser closes", false, recordedSigned, 0,
			"better-auth.session_token=9c8xVWYq9f512D6WqA6l9FzY1r5VwSgI.34NR5XwcNsAY1Q3qsdK%2B84tyBifThtBFWSP7ojFsim4%3D; Path=/; HttpOnly; SameSite=Lax"},
		{"a negative age is none", false, recordedSigned, -1,
			"better-auth.session_token=9c8xVWYq9f512D6WqA6l9FzY1r5VwSgI.34NR5XwcNsAY1Q3qsdK%2B84tyBifThtBFWSP7ojFsim4%3D; Path=/; HttpOnly; SameSite=Lax"},
		{"secure", true, secureSigned, 604800,
			"__Secure-better-auth.session_token=ZAQcIhPAQof6wvNxvatbD09jnDvcQ6MI.pODv8nUayQfzSijhG5ntxFPHnH6%2B4aqi8He%2BAWhaLpI%3D; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"secure, until the browser closes", true, secureSigned, 0,
			"__Secure-better-auth.session_token=ZAQcIhPAQof6wvNxvatbD09jnDvcQ6MI.pODv8nUayQfzSijhG5ntxFPHnH6%2B4aqi8He%2BAWhaLpI%3D; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{"a slash in the signature", false, "aBcDeFgHiJkLmNoPqRsTuVwXyZ012345.6A4iF3Hd2jWiSYOSt/032D2CHPzgimNl1def8g5u7ko=", 86400,
			"better-auth.session_token=aBcDeFgHiJkLmNoPqRsTuVwXyZ012345.6A4iF3Hd2jWiSYOSt%2F032D2CHPzgimNl1def8g5u7ko%3D; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := SessionCookie(c.secure, c.signed, c.maxAge); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestExpiredCookiesAsRecorded(t *testing.T) {
	plain := []string{
		"better-auth.session_token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
		"better-auth.session_data=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
		"better-auth.dont_remember=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax",
	}
	if got := ExpiredCookies(false); !slices.Equal(got, plain) {
		t.Errorf("plain: got %q", got)
	}
	secure := []string{
		"__Secure-better-auth.session_token=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
		"__Secure-better-auth.session_data=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
		"__Secure-better-auth.dont_remember=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax",
	}
	if got := ExpiredCookies(true); !slices.Equal(got, secure) {
		t.Errorf("secure: got %q", got)
	}
}

func TestEncodeURIComponent(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"AZaz09-_.!~*'()":       "AZaz09-_.!~*'()",
		"a+b/c=":                "a%2Bb%2Fc%3D",
		" \"%&,;\\\r\n":         "%20%22%25%26%2C%3B%5C%0D%0A",
		"é😀":                    "%C3%A9%F0%9F%98%80",
		"@[`{":                  "%40%5B%60%7B",
		"x; Domain=evil.exampl": "x%3B%20Domain%3Devil.exampl",
	} {
		if got := encodeURIComponent(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

const (
	plainName  = "better-auth.session_token="
	secureName = "__Secure-better-auth.session_token="
	encoded    = "9c8xVWYq9f512D6WqA6l9FzY1r5VwSgI.34NR5XwcNsAY1Q3qsdK%2B84tyBifThtBFWSP7ojFsim4%3D"
)

func TestFromCookies(t *testing.T) {
	for _, c := range []struct {
		name    string
		cookies []string
		secure  bool
		token   string
		present bool
	}{
		{"none", nil, false, "", false},
		{"an empty header", []string{""}, false, "", false},
		{"others only", []string{"a=b; better-auth.session_data=x; session_token=" + encoded}, false, "", false},
		{"another case of the name", []string{"Better-Auth.session_token=" + encoded}, false, "", false},
		{"plain", []string{plainName + encoded}, false, recordedToken, true},
		{"plain among others", []string{"a=b; " + plainName + encoded + "; c=d"}, false, recordedToken, true},
		{"not percent-encoded", []string{plainName + recordedSigned}, false, recordedToken, true},
		{"quoted", []string{plainName + `"` + encoded + `"`}, false, recordedToken, true},
		{"prefixed", []string{secureName + encoded}, true, recordedToken, true},
		{"plain where prefixed is usual", []string{plainName + encoded}, true, recordedToken, true},
		{"prefixed where plain is usual", []string{secureName + encoded}, false, recordedToken, true},
		{"both, secure", []string{plainName + encodedSigned + "; " + secureName + encoded}, true, recordedToken, true},
		{"both, not secure", []string{secureName + encodedSigned + "; " + plainName + encoded}, false, recordedToken, true},
		{"an invalid one of the usual name", []string{secureName + "bad; " + plainName + encoded}, true, recordedToken, true},
		{"invalid, then valid", []string{plainName + "bad; " + plainName + encoded}, false, recordedToken, true},
		{"valid, then invalid", []string{plainName + encoded + "; " + plainName + "bad"}, false, recordedToken, true},
		{"two valid ones", []string{plainName + encoded + "; " + plainName + encodedSigned}, false, recordedToken, true},
		{"two headers", []string{plainName + "bad", plainName + encoded}, false, recordedToken, true},
		{"empty", []string{plainName}, false, "", true},
		{"raw", []string{plainName + recordedToken}, false, "", true},
		{"the signed dont_remember", []string{plainName + "true.4uilASzGMMtFOKOWNVuyeysYur%2BaPhjDfC7nbfKiUqE%3D"}, false, "", true},
		{"a broken escape", []string{plainName + encoded + "%"}, false, "", true},
		{"over-long", []string{plainName + strings.Repeat("A", 1<<16) + "." + encoded}, false, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/api/auth/get-session", nil)
			for _, header := range c.cookies {
				r.Header.Add("Cookie", header)
			}
			token, present, ok := FromCookies(secrets("new", recordedSecret), r, c.secure)
			if token != c.token || present != c.present || ok != (c.token != "") {
				t.Errorf("got %q, present %v, ok %v", token, present, ok)
			}
		})
	}
}

func TestFromCookiesRefusesForgedSignatures(t *testing.T) {
	for name, signed := range refusedSigned {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Cookie", plainName+encodeURIComponent(signed))
			token, present, ok := FromCookies(secrets(recordedSecret, ""), r, false)
			if token != "" || ok {
				t.Errorf("accepted as %q", token)
			}
			if !present {
				t.Error("the cookie was not seen")
			}
		})
	}
}

// What the server sets, a client's next request must bring back.
func TestSessionCookieComesBack(t *testing.T) {
	for _, secure := range []bool{false, true} {
		response := http.Response{Header: http.Header{"Set-Cookie": {SessionCookie(secure, recordedSigned, 604800)}}}
		cookie := response.Cookies()[0]
		if cookie.MaxAge != 604800 || cookie.Path != "/" || !cookie.HttpOnly || cookie.Secure != secure || cookie.SameSite != http.SameSiteLaxMode {
			t.Errorf("secure %v: unexpected attributes: %v", secure, cookie)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.AddCookie(cookie)
		if token, _, ok := FromCookies(secrets(recordedSecret), r, secure); !ok || token != recordedToken {
			t.Errorf("secure %v: got %q, %v", secure, token, ok)
		}
	}
}

func FuzzFromCookies(f *testing.F) {
	f.Add("", false)
	f.Add(plainName+encoded, false)
	f.Add(secureName+encoded, true)
	f.Add(plainName+"bad; "+plainName+encoded, false)
	f.Add(plainName+recordedToken, true)
	f.Add("; ;=;"+plainName+"%", true)
	f.Add(plainName+`"`+encoded, false)
	f.Fuzz(func(t *testing.T, header string, secure bool) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", header)
		token, present, ok := FromCookies(secrets(recordedSecret), r, secure)
		if ok != (token != "") || ok && !present {
			t.Fatalf("inconsistent: %q, present %v, ok %v", token, present, ok)
		}
		if !ok {
			return
		}
		isSigned := func(cookie *http.Cookie) bool {
			decoded, err := url.PathUnescape(cookie.Value)
			named := strings.TrimPrefix(cookie.Name, SecurePrefix) == SessionTokenCookie
			return named && err == nil && decoded == Sign([]byte(recordedSecret), token)
		}
		if !slices.ContainsFunc(r.Cookies(), isSigned) {
			t.Fatalf("%q gave %q, which none of its cookies carries signed", header, token)
		}
	})
}

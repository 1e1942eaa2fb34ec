package betterauth

import (
	"net/http"
	"net/url"
)

// dontRememberValue is what the library signs into DontRememberCookie.
const dontRememberValue = "true"

// DontRemember returns the value of the Set-Cookie header that marks a session
// which ends with the browser, as a sign-in with rememberMe=false asks for. The
// secret must not be empty.
func DontRemember(secure bool, secret []byte) string {
	return CookieName(secure, DontRememberCookie) + "=" + encodeURIComponent(Sign(secret, dontRememberValue)) + cookieAttributes(secure)
}

// ExpiredDontRemember returns the value of the Set-Cookie header that takes the
// mark away again.
func ExpiredDontRemember(secure bool) string {
	return CookieName(secure, DontRememberCookie) + "=; Max-Age=0" + cookieAttributes(secure)
}

// AsksNotToRemember reports whether the request carries the mark, validly signed,
// under the plain or the prefixed name. It says nothing about who the request is
// from.
func AsksNotToRemember(secrets [][]byte, r *http.Request) bool {
	for _, secure := range []bool{true, false} {
		for _, cookie := range r.CookiesNamed(CookieName(secure, DontRememberCookie)) {
			signed, err := url.PathUnescape(cookie.Value)
			if err != nil {
				continue
			}
			if value, ok := Verify(secrets, signed); ok && value == dontRememberValue {
				return true
			}
		}
	}
	return false
}

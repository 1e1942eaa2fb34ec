package betterauth

import (
	"net/http"
	"strconv"
	"strings"
)

// The cookies' names on plain http. On https each carries SecurePrefix.
const (
	// SessionTokenCookie holds the signed session token.
	SessionTokenCookie = "better-auth.session_token"
	// SessionDataCookie is the library's cookie cache. This server never sets it,
	// and expires one that an earlier backend left behind.
	SessionDataCookie = "better-auth.session_data"
	// DontRememberCookie marks a session that ends with the browser.
	DontRememberCookie = "better-auth.dont_remember"
	// SecurePrefix makes browsers refuse the cookie unless it came over https:
	// https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes
	SecurePrefix = "__Secure-"
)

// CookieName returns the name under which a cookie is set: with SecurePrefix when
// secure, as it is otherwise.
func CookieName(secure bool, name string) string {
	if secure {
		return SecurePrefix + name
	}
	return name
}

// SessionCookie returns the value of the Set-Cookie header for a session.
// signedValue is what Sign returned, not yet percent-encoded. maxAgeSeconds of 0
// or less gives a cookie that ends with the browser (no Max-Age): that is what
// rememberMe=false asks for.
func SessionCookie(secure bool, signedValue string, maxAgeSeconds int) string {
	maxAge := ""
	if maxAgeSeconds > 0 {
		maxAge = "; Max-Age=" + strconv.Itoa(maxAgeSeconds)
	}
	return CookieName(secure, SessionTokenCookie) + "=" + encodeURIComponent(signedValue) + maxAge + cookieAttributes(secure)
}

// ExpiredCookies returns the values of the three Set-Cookie headers that make a
// browser forget its session, in the library's order.
func ExpiredCookies(secure bool) []string {
	names := []string{SessionTokenCookie, SessionDataCookie, DontRememberCookie}
	cookies := make([]string, 0, len(names))
	for _, name := range names {
		cookies = append(cookies, CookieName(secure, name)+"=; Max-Age=0"+cookieAttributes(secure))
	}
	return cookies
}

func cookieAttributes(secure bool) string {
	if secure {
		return "; Path=/; HttpOnly; Secure; SameSite=Lax"
	}
	return "; Path=/; HttpOnly; SameSite=Lax"
}

// FromCookies returns the session token in the request's cookies. Both names are
// read, so that nobody is signed out when a server moves to https; the name that
// belongs to secure comes first. Of several cookies the first whose signature
// verifies counts: a page on a sibling domain can add a second cookie of the same
// name, but cannot sign it.
//
// present tells whether there was any session cookie, ok whether one was valid.
// A raw token in a cookie is not valid: the library takes that in a header only.
func FromCookies(secrets [][]byte, r *http.Request, secure bool) (token string, present bool, ok bool) {
	for _, prefixed := range []bool{secure, !secure} {
		for _, cookie := range r.CookiesNamed(CookieName(prefixed, SessionTokenCookie)) {
			present = true
			if token, ok = parseSigned(secrets, cookie.Value); ok {
				return token, present, ok
			}
		}
	}
	return "", present, false
}

const upperHex = "0123456789ABCDEF"

// encodeURIComponent escapes like the JavaScript function of that name, which is
// what the library passes cookie values through. No function of net/url leaves
// exactly the same characters alone:
// https://tc39.es/ecma262/#sec-encodeuricomponent-uricomponent
func encodeURIComponent(s string) string {
	var escaped strings.Builder
	for i := range len(s) {
		if c := s[i]; isASCIILetter(c) || isASCIIDigit(c) || strings.IndexByte("-_.!~*'()", c) >= 0 {
			escaped.WriteByte(c)
			continue
		}
		escaped.WriteByte('%')
		escaped.WriteByte(upperHex[s[i]>>4])
		escaped.WriteByte(upperHex[s[i]&15])
	}
	return escaped.String()
}

package betterauth

import (
	"net/url"
	"strings"
)

// CheckCallbackURL returns nil for an address to which a client may be sent on
// after signing in, and ErrInvalidCallbackURL otherwise: an open redirect would
// let a foreign page borrow this server's good name.
//
// Good are "" (none), a path that starts with one slash, and an absolute address
// whose origin is self or trusted. A path is refused when a browser or a router
// could read another host into it: two slashes, a backslash, a control character
// or an encoded slash or backslash before the query.
func CheckCallbackURL(callbackURL, self string, trusted Origins) error {
	if callbackURL == "" {
		return nil
	}
	if len(callbackURL) > maxURLLength || strings.ContainsFunc(callbackURL, isAmbiguousInURL) {
		return ErrInvalidCallbackURL
	}
	if strings.HasPrefix(callbackURL, "/") {
		return checkCallbackPath(callbackURL)
	}
	if !trustedURL(callbackURL, self, trusted) {
		return ErrInvalidCallbackURL
	}
	return nil
}

func checkCallbackPath(callbackPath string) error {
	path := callbackPath
	if end := strings.IndexAny(path, "?#"); end >= 0 {
		path = path[:end]
	}
	lower := strings.ToLower(path)
	if strings.HasPrefix(path, "//") || strings.Contains(lower, "%2f") || strings.Contains(lower, "%5c") {
		return ErrInvalidCallbackURL
	}
	if _, err := url.Parse(callbackPath); err != nil {
		return ErrInvalidCallbackURL
	}
	return nil
}

// isAmbiguousInURL names the characters on which URL parsers disagree: browsers
// read a backslash as a slash and drop control characters.
func isAmbiguousInURL(c rune) bool {
	return c == '\\' || c < 0x20 || 0x7f <= c && c <= 0x9f
}

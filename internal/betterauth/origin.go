package betterauth

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxURLLength bounds, in bytes, every address that a client sends: origins,
// referers, images and callback addresses. Browsers go to about 2,000.
const maxURLLength = 2048

// Origins is a set of trusted origins. The zero value trusts none. It does not
// change once made, so any number of goroutines may use it.
type Origins struct {
	trusted map[string]struct{}
}

// NewOrigins builds the set from origins as an operator writes them:
// scheme://host[:port], a slash at the end allowed, blank entries ignored. There
// are no wildcards. Origins such as chrome-extension://id and file:// are trusted
// only when they stand in the list. The error names the entry that is no origin.
func NewOrigins(list []string) (Origins, error) {
	trusted := make(map[string]struct{}, len(list))
	for _, entry := range list {
		entry = strings.TrimSpace(entry)
		if entry == "" {
			continue
		}
		origin, ok := parseOrigin(entry)
		if !ok {
			return Origins{}, fmt.Errorf("betterauth: %q is not an origin of the form scheme://host[:port]", entry)
		}
		trusted[origin] = struct{}{}
	}
	return Origins{trusted: trusted}, nil
}

// Trusted reports whether origin is in the set. Host and scheme may be in upper
// case, and the scheme's default port may be spelled out or left out.
func (o Origins) Trusted(origin string) bool {
	normalised, ok := parseOrigin(origin)
	return ok && o.has(normalised)
}

func (o Origins) has(normalised string) bool {
	_, found := o.trusted[normalised]
	return found
}

// CheckOrigin protects a signed-in user from requests that another site made
// their browser send. It returns ErrMissingOrNullOrigin, ErrInvalidOrigin or nil.
//
// The library's rule: only a request with a Cookie header is checked, because
// without one the browser adds no authority of its own; reading (GET, HEAD,
// OPTIONS) is never checked; the Origin header counts, or the Referer's origin
// when there is no Origin. self is the request's own origin, trusted always.
//
// Beyond the library, a GET that asks for an upgrade is checked: browsers open
// WebSockets to other sites with cookies and without CORS.
func CheckOrigin(r *http.Request, self string, trusted Origins) error {
	if !hasCookieHeader(r) || isPlainRead(r) {
		return nil
	}
	claimed := claimedOrigin(r)
	if claimed == "" || claimed == "null" {
		return ErrMissingOrNullOrigin
	}
	if !trustedURL(claimed, self, trusted) {
		return ErrInvalidOrigin
	}
	return nil
}

// CheckFirstLogin refuses a sign-in or sign-up that another site's page submitted
// by navigating the browser here, which would sign the visitor in as somebody
// else. It returns ErrCrossSiteNavigationLoginBlocked or nil. Requests with
// cookies are left to CheckOrigin.
//
// The library also demands a trusted Origin as soon as any Sec-Fetch header is
// there. This server does not: a client on any origin may sign in and carry its
// token itself. MayKeepCookie keeps the cookie from it.
func CheckFirstLogin(r *http.Request) error {
	if hasCookieHeader(r) {
		return nil
	}
	crossSite := r.Header.Get("Sec-Fetch-Site") == "cross-site"
	if crossSite && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		return ErrCrossSiteNavigationLoginBlocked
	}
	return nil
}

// MayKeepCookie reports whether the answer to r may set the session cookie. To a
// page that is not trusted it may not: a form of another site in a browser that
// does not say so, or any request of a page on the same site, would leave the
// visitor signed in as somebody else. The token in the body is all such a page
// gets. Reading (GET, HEAD, OPTIONS) is not checked, and neither is a client that
// names no page, which is no browser.
func MayKeepCookie(r *http.Request, self string, trusted Origins) bool {
	if isPlainRead(r) {
		return true
	}
	claimed := claimedOrigin(r)
	return claimed == "" || trustedURL(claimed, self, trusted)
}

// hasCookieHeader is true for an empty Cookie header too, as in the library.
func hasCookieHeader(r *http.Request) bool {
	_, present := r.Header["Cookie"]
	return present
}

func isPlainRead(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return r.Header.Get("Upgrade") == ""
	}
	return false
}

// claimedOrigin joins repeated headers, so that a request with two origins has
// none that is trusted.
func claimedOrigin(r *http.Request) string {
	if origin := strings.Join(r.Header.Values("Origin"), ", "); origin != "" {
		return origin
	}
	return r.Header.Get("Referer")
}

// trustedURL reports whether the origin of an address is self or in the set.
func trustedURL(address, self string, trusted Origins) bool {
	origin, _, ok := splitOrigin(address)
	if !ok {
		return false
	}
	if own, ok := parseOrigin(self); ok && own == origin {
		return true
	}
	return trusted.has(origin)
}

// parseOrigin normalises an origin. ok is false when there is more to it than
// scheme, host and port.
func parseOrigin(text string) (origin string, ok bool) {
	origin, rest, ok := splitOrigin(text)
	return origin, ok && (rest == "" || rest == "/")
}

// splitOrigin cuts an absolute address into its origin, normalised, and what
// follows it. Scheme and host come out in lower case, a default port is left out.
// An address with a user name is refused: its host is not where it seems to be.
func splitOrigin(address string) (origin, rest string, ok bool) {
	if len(address) > maxURLLength {
		return "", "", false
	}
	parsed, err := url.Parse(address)
	if err != nil || parsed.User != nil || !strings.HasPrefix(address[len(parsed.Scheme):], "://") {
		return "", "", false
	}
	host, ok := normaliseHost(parsed)
	if !ok {
		return "", "", false
	}
	afterScheme := address[len(parsed.Scheme)+len("://"):]
	if end := strings.IndexAny(afterScheme, "/?#"); end >= 0 {
		rest = afterScheme[end:]
	}
	return parsed.Scheme + "://" + host, rest, true
}

// normaliseHost returns host[:port]. Only file addresses may have no host.
func normaliseHost(parsed *url.URL) (host string, ok bool) {
	host = strings.ToLower(parsed.Hostname())
	if host == "" {
		return "", parsed.Scheme == "file" && parsed.Host == ""
	}
	if strings.ContainsFunc(host, notHostCharacter) {
		return "", false
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if parsed.Port() == "" {
		return host, !strings.HasSuffix(parsed.Host, ":")
	}
	port, err := strconv.ParseUint(parsed.Port(), 10, 16)
	if err != nil {
		return "", false
	}
	if isDefaultPort(parsed.Scheme, port) {
		return host, true
	}
	return host + ":" + strconv.FormatUint(port, 10), true
}

// notHostCharacter allows what hosts are made of: browsers send international
// names in their ASCII form, and a colon only within an IPv6 address.
func notHostCharacter(c rune) bool {
	return c >= 0x80 || !isASCIILetter(byte(c)) && !isASCIIDigit(byte(c)) && !strings.ContainsRune("-._:", c)
}

func isDefaultPort(scheme string, port uint64) bool {
	return scheme == "http" && port == 80 || scheme == "https" && port == 443
}

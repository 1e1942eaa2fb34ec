package config

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

const (
	// maxHostLength is the longest host name, in bytes (RFC 1035, section 2.3.4).
	maxHostLength = 253

	maxPort = 65_535
)

// schemePorts are the ports that browsers leave out.
var schemePorts = map[string]int{"http": 80, "https": 443}

// What is wrong with an address, as the middle of a sentence.
const (
	wrongScheme   = "does not start with http:// or https://"
	wrongHost     = "has no valid host name or port (a name beyond ASCII is written in its xn-- form)"
	wrongUser     = "names a user or a password"
	wrongQuery    = "has a query or a fragment"
	wrongPath     = "has a path, and an origin is only scheme://host[:port]"
	wrongWildcard = "is a wildcard and would give every site the sessions of your users"
	wrongNull     = "is what any sandboxed page sends, so it would admit every site"
	wrongID       = "does not name one extension"
)

// httpAddress is an absolute http or https address in its normal form.
type httpAddress struct {
	origin string // as a browser spells it: lower case, no default port
	path   string // as given, escaped
}

// parseAddress reads an absolute http or https address without a query. What is
// wrong comes back as the middle of a sentence, "" when nothing is.
func parseAddress(text string) (address httpAddress, wrong string) {
	if lower := strings.ToLower(text); !strings.HasPrefix(lower, "http://") && !strings.HasPrefix(lower, "https://") {
		return httpAddress{}, wrongScheme
	}
	if strings.ContainsAny(text, "?#") {
		return httpAddress{}, wrongQuery
	}
	parsed, err := url.Parse(text)
	if err != nil {
		return httpAddress{}, wrongHost
	}
	if parsed.User != nil {
		return httpAddress{}, wrongUser
	}
	host, isHost := browserHost(parsed.Hostname())
	port, isPort := browserPort(parsed)
	if !isHost || !isPort {
		return httpAddress{}, wrongHost
	}
	return httpAddress{origin: parsed.Scheme + "://" + host + port, path: parsed.EscapedPath()}, ""
}

// browserHost checks a host and writes it as browsers do in an Origin header,
// so that a comparison by equality is enough (the URL Standard, "host
// serializer").
func browserHost(host string) (string, bool) {
	if strings.Contains(host, ":") {
		address, err := netip.ParseAddr(host)
		return "[" + address.String() + "]", err == nil && address.Zone() == ""
	}
	return strings.ToLower(host), isHostName(host)
}

// isHostName reports whether a host is a name or an IPv4 address.
func isHostName(host string) bool {
	if len(host) > maxHostLength {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.ContainsFunc(label, isOutsideName) {
			return false
		}
	}
	return true
}

// browserPort checks the port and writes it as browsers do: with its colon, and
// not at all when it is the scheme's own.
func browserPort(parsed *url.URL) (string, bool) {
	if parsed.Port() == "" {
		return "", !strings.HasSuffix(parsed.Host, ":")
	}
	number, err := strconv.Atoi(parsed.Port())
	if err != nil || number < 1 || number > maxPort {
		return "", false
	}
	if number == schemePorts[parsed.Scheme] {
		return "", true
	}
	return ":" + strconv.Itoa(number), true
}

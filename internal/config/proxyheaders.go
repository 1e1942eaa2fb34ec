package config

import (
	"fmt"
	"net/textproto"
	"slices"
	"strings"
)

const (
	// maxTrustedProxyHeaders is how many header names may be listed.
	maxTrustedProxyHeaders = 10

	// maxHeaderLength is the longest header name, in bytes.
	maxHeaderLength = 64
)

// trustedProxyHeaders reads TRUSTED_PROXY_HEADERS, a list with commas.
func (e *environment) trustedProxyHeaders() []string {
	const example = "X-Forwarded-For"
	entries := splitList(e.text(variableTrustedProxyHeaders))
	if len(entries) > maxTrustedProxyHeaders {
		e.refuse(variableTrustedProxyHeaders,
			fmt.Sprintf("must list at most %d headers, not %d", maxTrustedProxyHeaders, len(entries)), example)
		return nil
	}
	var headers []string
	for _, entry := range entries {
		if len(entry) > maxHeaderLength || strings.ContainsFunc(entry, isOutsideToken) {
			e.refuse(variableTrustedProxyHeaders,
				fmt.Sprintf("lists %s, which is not the name of a header", shown(entry)), example)
			continue
		}
		header := textproto.CanonicalMIMEHeaderKey(entry)
		if !slices.Contains(headers, header) {
			headers = append(headers, header)
		}
	}
	return headers
}

// isOutsideToken reports whether a character cannot be in a header name
// (RFC 9110, section 5.6.2).
func isOutsideToken(r rune) bool {
	return isOutsideName(r) && !strings.ContainsRune("!#$%&'*+.^`|~", r)
}

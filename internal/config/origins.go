package config

import (
	"fmt"
	"slices"
	"strings"
)

const (
	// maxTrustedOrigins is how many origins may be listed.
	maxTrustedOrigins = 100

	// maxExtensionIDLength is the longest id of a browser extension, in bytes.
	maxExtensionIDLength = 64

	extensionScheme = "chrome-extension://"
	fileOrigin      = "file://"
)

// trustedOrigins reads FRONTEND_URL, a list with commas.
func (e *environment) trustedOrigins() []string {
	entries := splitList(e.textOr(variableFrontendURL, DefaultFrontendURL))
	if len(entries) == 0 || len(entries) > maxTrustedOrigins {
		e.refuse(variableFrontendURL,
			fmt.Sprintf("must list 1 to %d origins, not %d", maxTrustedOrigins, len(entries)), DefaultFrontendURL)
		return nil
	}
	var origins []string
	for _, entry := range entries {
		origin, wrong := parseOrigin(entry)
		if wrong != "" {
			e.refuse(variableFrontendURL, fmt.Sprintf("lists %s, which %s", shown(entry), wrong), DefaultFrontendURL)
			continue
		}
		if !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}

// splitList returns the entries between the commas, without spaces around them
// and without empty ones.
func splitList(text string) []string {
	var entries []string
	for entry := range strings.SplitSeq(text, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			entries = append(entries, entry)
		}
	}
	return entries
}

// parseOrigin reads one origin and writes it as browsers do. What is wrong
// comes back as the middle of a sentence, "" when nothing is.
func parseOrigin(text string) (origin, wrong string) {
	if strings.Contains(text, "*") {
		return "", wrongWildcard
	}
	if strings.EqualFold(text, "null") {
		return "", wrongNull
	}
	if strings.EqualFold(text, fileOrigin) {
		return fileOrigin, ""
	}
	if lower := strings.ToLower(text); strings.HasPrefix(lower, extensionScheme) {
		return parseExtension(lower)
	}
	address, wrong := parseAddress(text)
	if wrong != "" {
		return "", wrong
	}
	if address.path != "" {
		return "", wrongPath
	}
	return address.origin, ""
}

// parseExtension reads a lower-case chrome-extension:// origin.
func parseExtension(text string) (origin, wrong string) {
	id := strings.TrimPrefix(text, extensionScheme)
	if id == "" || len(id) > maxExtensionIDLength || strings.ContainsFunc(id, isOutsideName) {
		return "", wrongID
	}
	return text, ""
}

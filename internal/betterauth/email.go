package betterauth

import "strings"

// MaxEmailLength bounds an address in bytes: what a mail server can be asked to
// deliver to. https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1.3
const MaxEmailLength = 254

// ValidEmail reports whether the library takes email for an address. Its rule is
// narrower than RFC 5321, and clients rely on it: ASCII only, nothing quoted, no
// space around it, a top-level domain of at least two letters.
func ValidEmail(email string) bool {
	if len(email) > MaxEmailLength {
		return false
	}
	local, domain, found := strings.Cut(email, "@")
	return found && validLocalPart(local) && validDomain(domain)
}

// validLocalPart wants parts of letters, digits and _ ' + - with single dots
// between them. Only the very last character may not be an apostrophe.
func validLocalPart(local string) bool {
	for part := range strings.SplitSeq(local, ".") {
		if part == "" || !containsOnly(part, "_'+-") {
			return false
		}
	}
	return !strings.HasSuffix(local, "'")
}

// validDomain wants labels of letters, digits and hyphens, none of which starts
// with a hyphen, and a top-level domain of letters.
func validDomain(domain string) bool {
	lastDot := strings.LastIndexByte(domain, '.')
	if lastDot < 0 || !validTopLevelDomain(domain[lastDot+1:]) {
		return false
	}
	for label := range strings.SplitSeq(domain[:lastDot], ".") {
		if label == "" || label[0] == '-' || !containsOnly(label, "-") {
			return false
		}
	}
	return true
}

func validTopLevelDomain(label string) bool {
	for i := range len(label) {
		if !isASCIILetter(label[i]) {
			return false
		}
	}
	return len(label) >= 2
}

// containsOnly reports whether s consists of ASCII letters, ASCII digits and the
// bytes of others.
func containsOnly(s, others string) bool {
	for i := range len(s) {
		if !isASCIILetter(s[i]) && !isASCIIDigit(s[i]) && strings.IndexByte(others, s[i]) < 0 {
			return false
		}
	}
	return true
}

package config

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// MinSecretLength is the shortest secret, in characters.
	MinSecretLength = 32

	// minPasswordLength is the shortest superuser password, in characters.
	minPasswordLength = 8
	// maxPasswordBytes is the longest superuser password, in bytes: what
	// PocketBase accepts, because bcrypt ignores everything behind 72 bytes.
	maxPasswordBytes = 71

	// maxEmailBytes is the longest email address (RFC 5321, section 4.5.3.1).
	maxEmailBytes = 254
)

// secrets reads SOKUJI_SECRET and BETTER_AUTH_SECRET. Secrets are taken byte
// for byte: a cookie of the former backend verifies with exactly its secret.
func (e *environment) secrets() (current, old Secret) {
	if e.getenv(variableSecret) == "" {
		return e.secret(variableBetterAuthSecret, "; with "+variableSecret+" set beside it, it only verifies old cookies and may be as short as it is"), Secret{}
	}
	// The tokens that the old secret signed are random themselves and must be in the
	// database, so a short one gives nobody a session.
	return e.secret(variableSecret, ""), NewSecret(e.getenv(variableBetterAuthSecret))
}

// secret reads a secret that signs, of at least MinSecretLength characters. hint
// ends what an operator with a shorter one is told.
func (e *environment) secret(name, hint string) Secret {
	text := e.getenv(name)
	length := utf8.RuneCountInString(text)
	if text != "" && length < MinSecretLength {
		e.refuse(name, fmt.Sprintf("has %d characters and needs at least %d%s", length, MinSecretLength, hint),
			`"$(openssl rand -base64 48)"`)
	}
	return NewSecret(text)
}

// superuser reads SUPERUSER_EMAIL and SUPERUSER_PASSWORD: both or neither.
func (e *environment) superuser() (email string, password Secret) {
	email, text := e.text(variableSuperuserEmail), e.getenv(variableSuperuserPassword)
	if email != "" && !isEmail(email) {
		e.refuse(variableSuperuserEmail, "is not an email address", "admin@example.com")
	}
	if text != "" && (utf8.RuneCountInString(text) < minPasswordLength || len(text) > maxPasswordBytes) {
		e.refuse(variableSuperuserPassword, fmt.Sprintf("must have at least %d characters and at most %d bytes",
			minPasswordLength, maxPasswordBytes), `"$(openssl rand -base64 24)"`)
	}
	if email == "" && text != "" {
		e.refuse(variableSuperuserEmail, "is missing although "+variableSuperuserPassword+" is set", "admin@example.com")
	}
	if email != "" && text == "" {
		e.refuse(variableSuperuserPassword, "is missing although "+variableSuperuserEmail+" is set",
			`"$(openssl rand -base64 24)"`)
	}
	return email, NewSecret(text)
}

// isEmail finds typing errors only; PocketBase checks the address itself.
func isEmail(text string) bool {
	name, host, _ := strings.Cut(text, "@")
	return name != "" && host != "" && len(text) <= maxEmailBytes &&
		!strings.Contains(host, "@") && !strings.ContainsAny(text, " \t\r\n,")
}

package password

import "strings"

// MaxBcryptLength is the longest password, in bytes after Normalize, that is put
// into PocketBase's password field. bcrypt uses 72 bytes and its Go version
// refuses more; PocketBase's field takes at most 71 characters
// (core/field_password.go). Both hold for every text of 71 bytes.
const MaxBcryptLength = 71

// FitsBcrypt reports whether bcrypt can hold the normalised password without
// losing part of it. One that does not fit is kept as a scrypt hash.
//
// A zero byte never fits: bcrypt repeats the password with a zero byte behind it
// until its key is full, so a password and the same password twice with a zero
// byte between them have one hash.
func FitsBcrypt(normalized string) bool {
	return len(normalized) <= MaxBcryptLength && !strings.Contains(normalized, "\x00")
}

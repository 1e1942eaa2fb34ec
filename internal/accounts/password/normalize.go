package password

import "golang.org/x/text/unicode/norm"

// Normalize returns the form of a password in which it is hashed, Unicode NFKC,
// as Better Auth does: the same word typed on two keyboards must be one password.
// Normalising twice changes nothing more. Bytes that are not UTF-8 stay as they
// are.
//
// One difference from JavaScript's normalize remains: in a run of more than 30
// combining marks this library inserts a joiner (UAX #15, stream-safe format), so
// a password imported from Better Auth that contains one has to be reset.
func Normalize(s string) string {
	return norm.NFKC.String(s)
}

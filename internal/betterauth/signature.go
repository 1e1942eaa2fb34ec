package betterauth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/url"
	"strings"
)

// maxCredentialLength bounds, in bytes, what is looked at as a signed token. A
// real one has 77 bytes, or 81 to 209 when percent-encoded.
const maxCredentialLength = 512

// Sign returns token + "." + the standard base64, with padding, of
// HMAC-SHA256(secret, token). That is the decoded form of a session cookie's
// value and the value of the set-auth-token header. The secret must not be
// empty: Verify accepts nothing that an empty one signed.
func Sign(secret []byte, token string) string {
	return token + "." + signature(secret, token)
}

func signature(secret []byte, token string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(token))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Verify returns the token of a signed value whose signature one of the secrets
// made: the current secret, or an older one whose cookies are still in use. The
// last dot separates token and signature, because a signature never contains one
// and a signed value in general may.
//
// The text of the signature is compared, not its decoded bytes, so that each
// token has exactly one accepted signature. The comparison takes constant time.
// An empty secret in the list is skipped: everybody can sign with it.
func Verify(secrets [][]byte, signed string) (token string, ok bool) {
	if len(signed) > maxCredentialLength {
		return "", false
	}
	dot := strings.LastIndexByte(signed, '.')
	if dot < 1 {
		return "", false
	}
	token = signed[:dot]
	if !signedByAny(secrets, token, signed[dot+1:]) {
		return "", false
	}
	return token, true
}

// signedByAny tries every secret even after a match, so that the time taken does
// not tell which one matched.
func signedByAny(secrets [][]byte, token, claimed string) bool {
	matches := 0
	for _, secret := range secrets {
		if len(secret) == 0 {
			continue
		}
		matches |= subtle.ConstantTimeCompare([]byte(signature(secret, token)), []byte(claimed))
	}
	return matches == 1
}

// ParseBearer returns the session token in the value of an Authorization header,
// the scheme "Bearer" already removed. It accepts the three forms in use:
// the signed token as 1.7 hands it out, the same percent-encoded as 1.4 does, and
// the raw token out of a JSON answer. ok is false for everything else, which the
// library treats as "no session", never as an error.
func ParseBearer(secrets [][]byte, value string) (token string, ok bool) {
	value = strings.TrimSpace(value)
	if IsRawToken(value) {
		return value, true
	}
	return parseSigned(secrets, value)
}

// parseSigned reads a signed session token, percent-encoded or not. The token
// must have the form of a session token: the library signs other cookies with
// the same secret, and none of those may pass for a session.
func parseSigned(secrets [][]byte, value string) (token string, ok bool) {
	if len(value) > maxCredentialLength {
		return "", false
	}
	// Not QueryUnescape: "+" is a character of base64 here, not a space.
	decoded, err := url.PathUnescape(value)
	if err != nil {
		return "", false
	}
	token, ok = Verify(secrets, decoded)
	if !ok || !IsRawToken(token) {
		return "", false
	}
	return token, true
}

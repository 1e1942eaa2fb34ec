package betterauth

// DefaultSecrets are what Better Auth signs with when it was given no secret, by
// its 1.x releases. The original backend did, in at least one deployment, because
// a Worker has no environment of a process to find one in; so the sessions that
// come from there carry such a signature.
//
// They are public, and may only ever verify: a signature on a session token
// protects nothing that the token, of 190 random bits, does not, and the raw token
// is taken too. Never sign with one, and never believe what only a signature vouches
// for, beyond a browser's wish to be forgotten.
func DefaultSecrets() [][]byte {
	return [][]byte{[]byte("better-auth-secret-123456789"), []byte("better-auth-secret-12345678901234567890")}
}

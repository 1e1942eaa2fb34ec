package apikeys

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// hashTextLength is the length of a hash in hexadecimal digits: 64.
const hashTextLength = 2 * sha256.Size

// Hash is the SHA-256 of a whole key, all that is ever stored of one. A fast
// hash is enough: a key has 256 random bits, so there is nothing to guess.
type Hash [sha256.Size]byte

// ErrHash says that a text is not a stored hash.
var ErrHash = errors.New("an API key hash is 64 lower-case hexadecimal digits")

// Hash returns the hash under which a key is stored and looked up.
func (k Key) Hash() Hash {
	if k.text == nil {
		return Hash{}
	}
	// Copied to the stack, because a conversion would allocate on every request.
	var characters [KeyLength]byte
	copy(characters[:], *k.text)
	return sha256.Sum256(characters[:])
}

// String returns the 64 lower-case hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads what Hash.String writes, and only that: a hash has one
// spelling. The error is ErrHash.
func ParseHash(s string) (Hash, error) {
	var hash Hash
	if len(s) != hashTextLength {
		return Hash{}, ErrHash
	}
	if _, err := hex.Decode(hash[:], []byte(s)); err != nil || hash.String() != s {
		return Hash{}, ErrHash
	}
	return hash, nil
}

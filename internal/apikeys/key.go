package apikeys

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

const (
	// KeyPrefix starts every key, so that people and secret scanners can tell
	// what a leaked text is.
	KeyPrefix = "sk-sokuji-"

	// secretBytes is the entropy of a key: 256 bits.
	secretBytes = 32
	// secretLength is secretBytes in base62 characters: 62^43 > 2^256.
	secretLength = 43
	// checksumLength is a CRC-32 in base62 characters: 62^6 > 2^32.
	checksumLength = 6

	// checkedLength is how many characters the checksum covers.
	checkedLength = len(KeyPrefix) + secretLength
	// KeyLength is the length of every key, in characters: 59.
	KeyLength = checkedLength + checksumLength

	// displayLength is the length of Key.Prefix, in characters: four of the
	// secret's 43, enough to tell one's keys apart and far too few to guess one.
	displayLength = 14

	// MinDeriveSecretBytes is the shortest secret that Derive accepts, in bytes.
	MinDeriveSecretBytes = 32

	// deriveContext separates derived keys from everything else the secret
	// signs. A change of it changes every default key.
	deriveContext = "sokuji default api key v1"
)

// Errors of Parse. Each says what is wrong and repeats nothing of the input,
// which may be a key with a typing error.
var (
	ErrKeyPrefix   = errors.New("an API key starts with " + KeyPrefix)
	ErrKeyLength   = fmt.Errorf("an API key has %d characters", KeyLength)
	ErrKeyAlphabet = errors.New("an API key has only letters and digits after " + KeyPrefix)
	ErrKeyChecksum = errors.New("this API key has a typing error: copy it again")
)

// Key is an API key in clear:
//
//	sk-sokuji- + 43 base62 characters (256 bits) + 6 base62 characters (CRC-32)
//
// The checksum is the IEEE CRC-32 over everything before it. It finds typing
// errors without a lookup; it is no proof that the key was ever issued.
//
// Every way of printing a Key gives the prefix only. The zero Key is no key:
// it reveals nothing and no checker accepts it.
type Key struct {
	// text is behind a pointer because fmt cannot call the methods of a Key
	// inside another type's unexported field; it then prints this address. It
	// must be a pointer to a string: fmt follows one to an array or a slice.
	text *string
}

// Generate returns a new key of 256 bits read from random, which must be
// crypto/rand.Reader outside tests.
func Generate(random io.Reader) (Key, error) {
	var secret [secretBytes]byte
	if _, err := io.ReadFull(random, secret[:]); err != nil {
		return Key{}, fmt.Errorf("read random bytes for an API key: %w", err)
	}
	return newKey(secret), nil
}

// Derive returns the default key of a user, which can be shown again at any
// time because it follows from the secret: HMAC-SHA-256 over a fixed context,
// the user id and the version, each with its length before it. Rotating the
// key means a greater version. The error says that the secret is shorter than
// MinDeriveSecretBytes or the user id is empty: keys of either could be
// guessed or shared.
func Derive(secret []byte, userID string, version int64) (Key, error) {
	if len(secret) < MinDeriveSecretBytes {
		return Key{}, fmt.Errorf("a default API key needs a secret of at least %d bytes", MinDeriveSecretBytes)
	}
	if userID == "" {
		return Key{}, errors.New("a default API key needs a user id")
	}
	mac := hmac.New(sha256.New, secret)
	writeField(mac, []byte(deriveContext))
	writeField(mac, []byte(userID))
	writeField(mac, binary.BigEndian.AppendUint64(nil, uint64(version)))
	return newKey([secretBytes]byte(mac.Sum(nil))), nil
}

// writeField writes a field behind its length, so that no two different lists
// of fields are the same bytes.
func writeField(mac io.Writer, field []byte) {
	length := binary.BigEndian.AppendUint64(nil, uint64(len(field)))
	mac.Write(length) // a hash never returns an error
	mac.Write(field)
}

// newKey writes 256 bits as a key.
func newKey(secret [secretBytes]byte) Key {
	var characters [KeyLength]byte
	copy(characters[:], KeyPrefix)
	encodeBase62(characters[len(KeyPrefix):checkedLength], secret[:])
	putChecksum(characters[checkedLength:], characters[:checkedLength])
	text := string(characters[:])
	return Key{&text}
}

// putChecksum writes the CRC-32 of checked in base62. Parse runs it for every
// request, so it does without math/big.
func putChecksum(destination, checked []byte) {
	rest := crc32.ChecksumIEEE(checked)
	for i := len(destination) - 1; i >= 0; i-- {
		destination[i] = base62Digits[rest%62]
		rest /= 62
	}
}

// Parse reads a key and refuses everything that cannot be one, by prefix,
// length, alphabet and checksum, without any lookup. Its errors are
// ErrKeyPrefix, ErrKeyLength, ErrKeyAlphabet and ErrKeyChecksum.
func Parse(s string) (Key, error) {
	if !LooksLike(s) {
		return Key{}, ErrKeyPrefix
	}
	if len(s) != KeyLength {
		return Key{}, ErrKeyLength
	}
	if !isBase62(s[len(KeyPrefix):]) {
		return Key{}, ErrKeyAlphabet
	}
	var checksum [checksumLength]byte
	putChecksum(checksum[:], []byte(s[:checkedLength]))
	if s[checkedLength:] != string(checksum[:]) {
		return Key{}, ErrKeyChecksum
	}
	// A key cut from a request would keep all of that request in memory.
	text := strings.Clone(s)
	return Key{&text}, nil
}

// LooksLike reports whether s has the prefix of a key, and so should be treated
// as one in logs and error messages, valid or not.
func LooksLike(s string) bool {
	return strings.HasPrefix(s, KeyPrefix)
}

// Reveal returns the key in clear, for the one answer that shows it to its
// owner. The zero Key reveals "".
func (k Key) Reveal() string {
	if k.text == nil {
		return ""
	}
	return *k.text
}

// Prefix returns the first 14 characters, by which an owner recognises a key in
// a list. It may be stored and shown.
func (k Key) Prefix() string {
	if k.text == nil {
		return ""
	}
	return (*k.text)[:displayLength]
}

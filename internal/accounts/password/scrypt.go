package password

import (
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// Better Auth's parameters, the same from 1.3 to 1.7. Note r: Node's own default
// is 8. Memory is 128 × cost × block size = 32 MiB.
const (
	scryptCost        = 16384
	scryptBlockSize   = 16
	scryptParallelism = 1
	scryptKeyLength   = 64
	scryptSaltLength  = 16
)

// maxConcurrentHashes bounds the memory of hashing: at 32 MiB each, a burst of
// sign-ins waits its turn instead of taking the machine's memory.
const maxConcurrentHashes = 4

var hashing = make(chan struct{}, maxConcurrentHashes)

// HashScrypt returns a hash of the password, normalised here, in Better Auth's
// form: 32 hexadecimal digits of salt, a colon, 128 hexadecimal digits of key. It
// fails when random does.
func HashScrypt(random io.Reader, password string) (string, error) {
	salt := make([]byte, scryptSaltLength)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("password: reading random bytes for a salt: %w", err)
	}
	saltText := hex.EncodeToString(salt)
	key, err := deriveKey(saltText, password)
	if err != nil {
		return "", err
	}
	return saltText + ":" + hex.EncodeToString(key), nil
}

// VerifyScrypt reports whether hash is Better Auth's hash of the password, which
// is normalised here. A malformed hash matches no password, and is found out
// before any work is done. The keys are compared in constant time.
func VerifyScrypt(hash, password string) bool {
	saltText, want, ok := parseHash(hash)
	if !ok {
		return false
	}
	key, err := deriveKey(saltText, password)
	return err == nil && subtle.ConstantTimeCompare(key, want) == 1
}

// parseHash takes a hash apart. The salt stays text: see deriveKey.
func parseHash(hash string) (saltText string, key []byte, ok bool) {
	saltText, keyText, found := strings.Cut(hash, ":")
	if !found || len(saltText) != 2*scryptSaltLength || len(keyText) != 2*scryptKeyLength {
		return "", nil, false
	}
	if _, err := hex.DecodeString(saltText); err != nil {
		return "", nil, false
	}
	key, err := hex.DecodeString(keyText)
	return saltText, key, err == nil
}

// deriveKey salts with the 32 digits themselves, not with the 16 bytes that they
// spell: that is what Better Auth does.
func deriveKey(saltText, password string) ([]byte, error) {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	salt := []byte(saltText)
	key, err := scrypt.Key([]byte(Normalize(password)), salt, scryptCost, scryptBlockSize, scryptParallelism, scryptKeyLength)
	if err != nil {
		return nil, errors.New("password: the scrypt parameters are invalid")
	}
	return key, nil
}

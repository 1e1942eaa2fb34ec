// Package vault encrypts secrets that must be stored and used again, such as a
// provider's API key.
//
// It owns the derivation of the key from the server's secret and the form of what
// is stored. It must never store, log or name in an error what it protects, and
// never hand back a text that it could not verify.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

const (
	// version begins every sealed text, so that another form may follow one day.
	version = "v1:"
	// keyBytes is the size of an AES-256 key.
	keyBytes = 32
	// MinSecretBytes is the shortest secret that keys are derived from, in bytes.
	MinSecretBytes = 32
	// keyContext separates the vault's key from everything else the secret signs. A
	// change of it makes every sealed text unreadable.
	keyContext = "sokuji vault v1"
)

// ErrWrongSecret says that a text was sealed with another secret, for another
// place, or was changed since: the three cannot be told apart.
var ErrWrongSecret = errors.New("the stored secret cannot be decrypted with the present SOKUJI_SECRET: enter it again")

// Vault seals and opens texts. It is safe for concurrent use.
type Vault struct {
	aead cipher.AEAD
}

// New derives the key of a vault from the server's secret by HKDF-SHA-256.
func New(secret []byte) (*Vault, error) {
	if len(secret) < MinSecretBytes {
		return nil, fmt.Errorf("a vault needs a secret of at least %d bytes", MinSecretBytes)
	}
	key, err := hkdf.Key(sha256.New, secret, nil, keyContext, keyBytes)
	if err != nil {
		return nil, fmt.Errorf("derive the vault's key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make the vault's cipher: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &Vault{aead}, err
}

// Seal encrypts a text for one place, such as "providers.api_key": moved to
// another place it no longer opens.
func (v *Vault) Seal(text, place string) string {
	sealed := v.aead.Seal(nil, nil, []byte(text), []byte(place))
	return version + base64.RawStdEncoding.EncodeToString(sealed)
}

// Open decrypts what Seal made for the same place, or returns ErrWrongSecret.
func (v *Vault) Open(sealed, place string) (string, error) {
	encoded, ok := strings.CutPrefix(sealed, version)
	if !ok {
		return "", ErrWrongSecret
	}
	data, err := base64.RawStdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", ErrWrongSecret
	}
	text, err := v.aead.Open(nil, nil, data, []byte(place))
	if err != nil {
		return "", ErrWrongSecret
	}
	return string(text), nil
}

package betterauth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
)

// maxSealedLength bounds, in bytes, what Open looks at: what a browser keeps in
// one cookie.
const maxSealedLength = 4096

// PurposeKey derives a key of 32 bytes from a secret, so that what is made for
// one purpose is worth nothing for another. The secret must be hard to guess.
func PurposeKey(secret []byte, purpose string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("sokuji purpose key\x00" + purpose))
	return mac.Sum(nil)
}

// Seal encrypts plain and protects it from changes, as URL-safe text. key has 32
// bytes, as PurposeKey returns. It fails when random does, and for more than a
// cookie holds: Open would not read that again.
func Seal(random io.Reader, key, plain []byte) (string, error) {
	aead, err := sealer(key)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	if _, err := io.ReadFull(random, nonce); err != nil {
		return "", fmt.Errorf("betterauth: reading random bytes for a seal: %w", err)
	}
	sealed := base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, plain, nil))
	if len(sealed) > maxSealedLength {
		return "", fmt.Errorf("betterauth: %d bytes are too many to seal: %d may come out", len(plain), maxSealedLength)
	}
	return sealed, nil
}

// Open returns what Seal was given under the same key. ok is false for everything
// else.
func Open(key []byte, sealed string) (plain []byte, ok bool) {
	if len(sealed) > maxSealedLength {
		return nil, false
	}
	aead, err := sealer(key)
	if err != nil {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || len(raw) < aead.NonceSize() {
		return nil, false
	}
	plain, err = aead.Open(nil, raw[:aead.NonceSize()], raw[aead.NonceSize():], nil)
	return plain, err == nil
}

func sealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("betterauth: a sealing key: %w", err)
	}
	return cipher.NewGCM(block)
}

package betterauth

import (
	"errors"
	"fmt"
	"io"
)

// TokenLength is the number of characters of a session token. With 62 possible
// characters that is 190 bits: nobody guesses one, so a raw token may stand as a
// credential without its signature.
const TokenLength = 32

const tokenAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// unbiasedBytes is the largest multiple of the alphabet's size that fits into a
// byte's 256 values. Bytes from there on are thrown away: taking them modulo 62
// would make the first eight characters likelier than the rest.
const unbiasedBytes = 256 - 256%len(tokenAlphabet)

// maxTokenReads bounds how often NewToken asks for more random bytes. One read
// of 64 bytes is nearly always enough; sixteen useless ones mean that the source
// is broken, and a broken source must not hang a sign-in.
const maxTokenReads = 16

// NewToken returns a new session token: TokenLength characters of [A-Za-z0-9],
// each equally likely if the bytes of random are. It fails when random does.
func NewToken(random io.Reader) (string, error) {
	token := make([]byte, 0, TokenLength)
	chunk := make([]byte, 2*TokenLength)
	for range maxTokenReads {
		if _, err := io.ReadFull(random, chunk); err != nil {
			return "", fmt.Errorf("betterauth: reading random bytes for a token: %w", err)
		}
		token = appendTokenCharacters(token, chunk)
		if len(token) == TokenLength {
			return string(token), nil
		}
	}
	return "", errors.New("betterauth: the random source yields no usable bytes for a token")
}

// appendTokenCharacters turns random bytes into token characters until the token
// is complete or the bytes are used up.
func appendTokenCharacters(token, random []byte) []byte {
	for _, b := range random {
		if len(token) == TokenLength {
			return token
		}
		if int(b) < unbiasedBytes {
			token = append(token, tokenAlphabet[int(b)%len(tokenAlphabet)])
		}
	}
	return token
}

// IsRawToken reports whether s has the form of a session token without its
// signature. It says nothing about whether such a session exists.
func IsRawToken(s string) bool {
	if len(s) != TokenLength {
		return false
	}
	for i := range len(s) {
		if !isASCIILetter(s[i]) && !isASCIIDigit(s[i]) {
			return false
		}
	}
	return true
}

func isASCIILetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isASCIIDigit(c byte) bool {
	return '0' <= c && c <= '9'
}

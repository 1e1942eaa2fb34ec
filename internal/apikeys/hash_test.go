package apikeys

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
)

func TestHashIsTheDigestOfTheWholeKey(t *testing.T) {
	t.Parallel()
	key, err := Derive(testSecret, "user_1234567890", 1)
	if err != nil {
		t.Fatal(err)
	}
	// sha256sum of the key's text.
	const want = "6878dec5bb38a3e6480c3872c17682337367ef73aaf7f0a98ad42a04b013ff4a"
	if got := key.Hash().String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if key.Hash() != sha256.Sum256([]byte(key.Reveal())) {
		t.Error("not the SHA-256 of the text")
	}
	if mustGenerate(t, 1).Hash() == mustGenerate(t, 2).Hash() {
		t.Error("two keys have one hash")
	}
}

func TestParseHash(t *testing.T) {
	t.Parallel()
	hash := mustGenerate(t, 5).Hash()
	if got, err := ParseHash(hash.String()); err != nil || got != hash {
		t.Errorf("got %s, %v; want %s", got, err, hash)
	}
	good := strings.Repeat("ab", 32)
	for name, text := range map[string]string{
		"empty":      "",
		"upper case": strings.ToUpper(good),
		"one less":   good[1:],
		"one more":   good + "a",
		"a letter g": "g" + good[1:],
		"a space":    " " + good[1:],
	} {
		if got, err := ParseHash(text); !errors.Is(err, ErrHash) || got != (Hash{}) {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
}

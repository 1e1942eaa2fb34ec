package betterauth

import (
	"bytes"
	"crypto/rand"
	"strings"
	"testing"
	"testing/iotest"
)

func sealed(t *testing.T, key []byte, plain string) string {
	t.Helper()
	text, err := Seal(rand.Reader, key, []byte(plain))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSealOpens(t *testing.T) {
	key := PurposeKey([]byte("secret"), "test")
	for _, plain := range []string{"", "x", `{"state":"…"}`, strings.Repeat("a", 3000)} {
		text := sealed(t, key, plain)
		if got, ok := Open(key, text); !ok || string(got) != plain {
			t.Errorf("%q came back as %q, %v", plain, got, ok)
		}
		if len(plain) > 3 && strings.Contains(text, plain) {
			t.Errorf("%q can be read in %q", plain, text)
		}
	}
	if sealed(t, key, "x") == sealed(t, key, "x") {
		t.Error("two seals of one text are equal")
	}
}

func TestOpenRefuses(t *testing.T) {
	key := PurposeKey([]byte("secret"), "test")
	text := sealed(t, key, "plain")
	for at := range len(text) {
		changed := []byte(text)
		changed[at] ^= 1
		if plain, ok := Open(key, string(changed)); ok {
			t.Errorf("changed at %d, opened as %q", at, plain)
		}
	}
	for name, foreign := range map[string][]byte{
		"another secret":  PurposeKey([]byte("other"), "test"),
		"another purpose": PurposeKey([]byte("secret"), "other"),
		"no key":          nil,
		"a short key":     key[:5],
	} {
		if plain, ok := Open(foreign, text); ok {
			t.Errorf("%s opened %q", name, plain)
		}
	}
	for _, broken := range []string{"", "a", "!", text[1:], text[:len(text)-1], text + "A", text + "=", " " + text, strings.Repeat("A", maxSealedLength+1)} {
		if plain, ok := Open(key, broken); ok {
			t.Errorf("%.40q opened as %q", broken, plain)
		}
	}
}

func TestSealFails(t *testing.T) {
	key := PurposeKey([]byte("secret"), "test")
	if text, err := Seal(iotest.ErrReader(bytes.ErrTooLarge), key, nil); err == nil || text != "" {
		t.Errorf("without random bytes: %q, %v", text, err)
	}
	if text, err := Seal(rand.Reader, key[:7], nil); err == nil || text != "" {
		t.Errorf("with a short key: %q, %v", text, err)
	}
	if text, err := Seal(rand.Reader, key, make([]byte, maxSealedLength)); err == nil || text != "" {
		t.Errorf("too much: %d bytes, %v", len(text), err)
	}
}

func FuzzOpen(f *testing.F) {
	key := PurposeKey([]byte("secret"), "test")
	text, _ := Seal(rand.Reader, key, []byte("plain"))
	f.Add(text)
	f.Add("")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, value string) {
		if plain, ok := Open(key, value); ok && string(plain) != "plain" {
			t.Fatalf("%q opened as %q", value, plain)
		}
	})
}

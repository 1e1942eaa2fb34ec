package apikeys

import (
	"bytes"
	"crypto/rand"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// testSecret is a secret of the shortest length that Derive accepts.
var testSecret = []byte("0123456789abcdef0123456789abcdef")

// mustGenerate returns a key of the given random bytes, padded with zeros.
func mustGenerate(t testing.TB, random ...byte) Key {
	t.Helper()
	bits := make([]byte, secretBytes)
	copy(bits, random)
	key, err := Generate(bytes.NewReader(bits))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// The expected keys were computed with an independent program.
func TestGenerateVectors(t *testing.T) {
	t.Parallel()
	tests := map[string][]byte{
		"sk-sokuji-00000000000000000000000000000000000000000004Ey4e2": make([]byte, 32),
		"sk-sokuji-YHJSKWDa6oz1al1yMhwzwM8llg7hJNUca2J5RoW8xP11pT4KP": bytes.Repeat([]byte{0xff}, 32),
	}
	for want, random := range tests {
		if got := mustGenerate(t, random...).Reveal(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestGenerateNeedsAllItsRandomness(t *testing.T) {
	t.Parallel()
	failing := io.MultiReader(bytes.NewReader(make([]byte, secretBytes-1)))
	key, err := Generate(failing)
	if !errors.Is(err, io.ErrUnexpectedEOF) || key.Reveal() != "" {
		t.Fatalf("got %q, %v from a short source", key.Reveal(), err)
	}
}

func TestGenerateReadsDifferentKeys(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		key, err := Generate(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		seen[key.Reveal()] = true
	}
	if len(seen) != 1000 {
		t.Fatalf("%d different keys of 1000", len(seen))
	}
}

// The expected keys were computed with an independent program.
func TestDeriveVectors(t *testing.T) {
	t.Parallel()
	tests := map[int64]string{
		1: "sk-sokuji-SFtSA1MawpD4MMhITUmdccszk4bjUMKUTzyK3ND6exg1NBULb",
		2: "sk-sokuji-6p13ReepXSNFEx9lTmuLi1gvWiGISCDzWnPuDHra2uC0BFH4l",
	}
	for version, want := range tests {
		key, err := Derive(testSecret, "user_1234567890", version)
		if err != nil || key.Reveal() != want {
			t.Errorf("version %d: got %s, %v; want %s", version, key.Reveal(), err, want)
		}
	}
}

func TestDeriveDiffers(t *testing.T) {
	t.Parallel()
	otherSecret := append([]byte{'x'}, testSecret[1:]...)
	longerSecret := append(bytes.Clone(testSecret), 'x')
	inputs := []struct {
		secret  []byte
		userID  string
		version int64
	}{
		{testSecret, "user", 1},
		{testSecret, "user", 2},
		{testSecret, "user", 0},
		{testSecret, "user", -1},
		{testSecret, "user", math.MaxInt64},
		{testSecret, "usera", 1},
		{testSecret, "User", 1},
		{testSecret, "user\x00", 1},
		{otherSecret, "user", 1},
		{longerSecret, "user", 1},
	}
	seen := map[string]int{}
	for i, input := range inputs {
		key, err := Derive(input.secret, input.userID, input.version)
		if err != nil {
			t.Fatal(err)
		}
		if other, taken := seen[key.Reveal()]; taken {
			t.Errorf("inputs %d and %d give the same key", other, i)
		}
		seen[key.Reveal()] = i
		if _, err := Parse(key.Reveal()); err != nil {
			t.Errorf("input %d: Parse refuses its key: %v", i, err)
		}
	}
}

func TestDeriveRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		secret []byte
		userID string
	}{
		"no secret":      {nil, "user"},
		"a short secret": {testSecret[:31], "user"},
		"no user":        {testSecret, ""},
	}
	for name, test := range tests {
		key, err := Derive(test.secret, test.userID, 1)
		if err == nil || key.Reveal() != "" {
			t.Errorf("%s: got a key, %v", name, err)
		} else if len(test.secret) > 0 && strings.Contains(err.Error(), string(test.secret)) {
			t.Errorf("%s: the error repeats the secret", name)
		}
	}
}

func TestParseReadsEveryKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		random := rapid.SliceOfN(rapid.Byte(), secretBytes, secretBytes).Draw(t, "random")
		key, err := Generate(bytes.NewReader(random))
		if err != nil {
			t.Fatal(err)
		}
		text := key.Reveal()
		if len(text) != KeyLength || !LooksLike(text) || !isBase62(text[len(KeyPrefix):]) {
			t.Fatalf("%q is not in the format", text)
		}
		parsed, err := Parse(text)
		if err != nil || parsed.Reveal() != text || parsed.Hash() != key.Hash() {
			t.Fatalf("read back as %q, %v", parsed.Reveal(), err)
		}
		if key.Prefix() != text[:14] {
			t.Fatalf("prefix %q", key.Prefix())
		}
	})
}

// TestParseDetectsEveryWrongCharacter changes each position of a key to every
// other byte.
func TestParseDetectsEveryWrongCharacter(t *testing.T) {
	t.Parallel()
	text := mustGenerate(t, 1, 2, 3, 4, 5).Reveal()
	for position := range text {
		for wrong := range 256 {
			if byte(wrong) == text[position] {
				continue
			}
			corrupt := []byte(text)
			corrupt[position] = byte(wrong)
			if key, err := Parse(string(corrupt)); err == nil || key.Reveal() != "" {
				t.Fatalf("%q passes as %q", text, corrupt)
			}
		}
	}
}

func TestParseDetectsOneWrongCharacterOfAnyKey(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		random := rapid.SliceOfN(rapid.Byte(), secretBytes, secretBytes).Draw(t, "random")
		key, err := Generate(bytes.NewReader(random))
		if err != nil {
			t.Fatal(err)
		}
		corrupt := []byte(key.Reveal())
		position := rapid.IntRange(0, KeyLength-1).Draw(t, "position")
		others := strings.ReplaceAll(base62Digits, string(corrupt[position]), "")
		corrupt[position] = others[rapid.IntRange(0, len(others)-1).Draw(t, "character")]
		if _, err := Parse(string(corrupt)); err == nil {
			t.Fatalf("%q passes as %q", key.Reveal(), corrupt)
		}
	})
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	good := mustGenerate(t, 9).Reveal()
	tests := []struct {
		name, text string
		want       error
	}{
		{"empty", "", ErrKeyPrefix},
		{"another service's key", "sk-proj-" + good[8:], ErrKeyPrefix},
		{"upper-case prefix", strings.ToUpper(good[:10]) + good[10:], ErrKeyPrefix},
		{"leading space", " " + good, ErrKeyPrefix},
		{"the prefix alone", KeyPrefix, ErrKeyLength},
		{"one character less", good[:KeyLength-1], ErrKeyLength},
		{"one character more", good + "0", ErrKeyLength},
		{"a trailing newline", good + "\n", ErrKeyLength},
		{"a dash inside", good[:20] + "-" + good[21:], ErrKeyAlphabet},
		{"a letter beyond ASCII", good[:20] + "é" + good[22:], ErrKeyAlphabet},
		{"a NUL", good[:20] + "\x00" + good[21:], ErrKeyAlphabet},
		{"two characters swapped", good[:50] + good[51:52] + good[50:51] + good[52:], ErrKeyChecksum},
		{"letters in the other case", good[:10] + strings.ToUpper(good[10:53]) + strings.ToLower(good[53:]), ErrKeyChecksum},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := Parse(test.text)
			if !errors.Is(err, test.want) || key.Reveal() != "" {
				t.Fatalf("got %q, %v; want %v", key.Reveal(), err, test.want)
			}
			if len(test.text) > len(KeyPrefix) && strings.Contains(err.Error(), test.text[len(KeyPrefix):]) {
				t.Fatalf("the error repeats the input: %v", err)
			}
		})
	}
}

func TestLooksLike(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"":                      false,
		"sk-sokuji":             false,
		"sk-sokuji-":            true,
		"sk-sokuji-damaged key": true,
		"Sk-sokuji-x":           false,
		"xsk-sokuji-":           false,
	} {
		if LooksLike(text) != want {
			t.Errorf("%q: got %v", text, !want)
		}
	}
}

func TestZeroKeyIsNoKey(t *testing.T) {
	t.Parallel()
	var key Key
	if key.Reveal() != "" || key.Prefix() != "" || key.Hash() != (Hash{}) {
		t.Fatalf("the zero key reveals %q, %q, %s", key.Reveal(), key.Prefix(), key.Hash())
	}
}

func FuzzParse(f *testing.F) {
	good := mustGenerate(f, 7, 7, 7).Reveal()
	f.Add(good)
	f.Add(good[:58])
	f.Add(good[:20] + "é" + good[22:])
	f.Add(KeyPrefix + strings.Repeat("Z", secretLength+checksumLength))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := Parse(text)
		if err != nil {
			if key.Reveal() != "" {
				t.Fatal("a refused text gives a key")
			}
			return
		}
		if key.Reveal() != text {
			t.Fatalf("read %q as %q", text, key.Reveal())
		}
		if !checksumHolds(text) {
			t.Fatalf("accepted %q, whose checksum is wrong", text)
		}
	})
}

// checksumHolds decodes the checksum, where Parse encodes it.
func checksumHolds(text string) bool {
	var value uint64
	for _, digit := range text[len(text)-checksumLength:] {
		value = value*62 + uint64(strings.IndexRune(base62Digits, digit))
	}
	return value == uint64(crc32.ChecksumIEEE([]byte(text[:len(text)-checksumLength])))
}

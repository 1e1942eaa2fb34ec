package betterauth

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
)

func TestNewTokenIsRawAndNew(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		token, err := NewToken(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if !IsRawToken(token) {
			t.Fatalf("%q is no raw token", token)
		}
		seen[token] = true
	}
	if len(seen) != 100 {
		t.Errorf("100 tokens, only %d different ones", len(seen))
	}
}

// Every byte value once must give every character equally often, four times.
func TestTokenCharactersAreUnbiased(t *testing.T) {
	counts := map[byte]int{}
	for b := range 256 {
		for _, c := range appendTokenCharacters(nil, []byte{byte(b)}) {
			counts[c]++
		}
	}
	if len(counts) != 62 {
		t.Errorf("%d different characters, want 62", len(counts))
	}
	for c, count := range counts {
		if count != 4 {
			t.Errorf("%q comes from %d byte values, want 4", c, count)
		}
	}
}

func TestNewTokenSkipsBytesThatWouldBias(t *testing.T) {
	useless := bytes.Repeat([]byte{248, 255}, 2*TokenLength)
	useful := make([]byte, 2*TokenLength)
	token, err := NewToken(bytes.NewReader(append(useless, useful...)))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("A", TokenLength); token != want {
		t.Errorf("got %q, want %q", token, want)
	}
}

func TestNewTokenFailsWithItsSource(t *testing.T) {
	broken := errors.New("no entropy")
	if token, err := NewToken(iotest.ErrReader(broken)); !errors.Is(err, broken) || token != "" {
		t.Errorf("broken source: got %q, %v", token, err)
	}
	if token, err := NewToken(strings.NewReader("short")); err == nil || token != "" {
		t.Errorf("short source: got %q, %v", token, err)
	}
	if token, err := NewToken(endless(255)); err == nil || token != "" {
		t.Errorf("useless source: got %q, %v", token, err)
	}
}

// endless is a reader that yields one byte for ever.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

func TestIsRawToken(t *testing.T) {
	for text, want := range map[string]bool{
		"9c8xVWYq9f512D6WqA6l9FzY1r5VwSgI":     true,
		strings.Repeat("A", 32):                true,
		strings.Repeat("z", 32):                true,
		strings.Repeat("0", 32):                true,
		"":                                     false,
		strings.Repeat("A", 31):                false,
		strings.Repeat("A", 33):                false,
		strings.Repeat("A", 31) + "-":          false,
		strings.Repeat("A", 31) + ".":          false,
		strings.Repeat("A", 31) + " ":          false,
		strings.Repeat("A", 31) + "\n":         false,
		strings.Repeat("A", 31) + "[":          false,
		strings.Repeat("A", 31) + "`":          false,
		strings.Repeat("A", 31) + ":":          false,
		strings.Repeat("A", 31) + "/":          false,
		strings.Repeat("A", 31) + "@":          false,
		strings.Repeat("A", 31) + "{":          false,
		strings.Repeat("A", 30) + "é":          false,
		"sk-sokuji-9c8xVWYq9f512D6WqA6l9FzY1r": false,
	} {
		if got := IsRawToken(text); got != want {
			t.Errorf("IsRawToken(%q) = %v, want %v", text, got, want)
		}
	}
}

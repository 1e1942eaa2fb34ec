package vault

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

const (
	secret = "the-secret-of-a-test-with-32-chars-or-more"
	place  = "providers.api_key"
	text   = "sk-canary-provider-key"
)

func open(t *testing.T, secret string) *Vault {
	t.Helper()
	v, err := New([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSealAndOpen(t *testing.T) {
	v := open(t, secret)
	for _, text := range []string{"", "x", text, strings.Repeat("long ", 1000), "ключ\x00"} {
		sealed := v.Seal(text, place)
		if text != "" && len(text) > 3 && strings.Contains(sealed, text) {
			t.Errorf("%q is in its sealed form", text)
		}
		if got, err := v.Open(sealed, place); err != nil || got != text {
			t.Errorf("Open = %q, %v, want %q", got, err, text)
		}
	}
}

// Two rows with the same key do not look the same.
func TestSealedTwiceDiffers(t *testing.T) {
	v := open(t, secret)
	if v.Seal(text, place) == v.Seal(text, place) {
		t.Error("the same text was sealed to the same bytes twice")
	}
}

// A server that restarts opens what it sealed before.
func TestTheKeyFollowsFromTheSecret(t *testing.T) {
	if got, err := open(t, secret).Open(open(t, secret).Seal(text, place), place); err != nil || got != text {
		t.Errorf("Open = %q, %v", got, err)
	}
}

func TestWhatDoesNotOpen(t *testing.T) {
	v := open(t, secret)
	sealed := v.Seal(text, place)
	for name, try := range map[string]func() (string, error){
		"another secret": func() (string, error) { return open(t, secret+"!").Open(sealed, place) },
		"another place":  func() (string, error) { return v.Open(sealed, "users.api_key") },
		"clear text":     func() (string, error) { return v.Open(text, place) },
		"nothing":        func() (string, error) { return v.Open("", place) },
		"only a version": func() (string, error) { return v.Open(version, place) },
		"not base64":     func() (string, error) { return v.Open(version+"***", place) },
		"too short":      func() (string, error) { return v.Open(sealed[:len(version)+8], place) },
		"cut":            func() (string, error) { return v.Open(sealed[:len(sealed)-4], place) },
		"longer":         func() (string, error) { return v.Open(sealed+"AAAA", place) },
	} {
		got, err := try()
		if !errors.Is(err, ErrWrongSecret) || got != "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// No single character can be changed unseen.
func TestTampering(t *testing.T) {
	v := open(t, secret)
	sealed := []byte(v.Seal(text, place))
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if got, err := v.Open(string(changed), place); err == nil {
			t.Errorf("with character %d changed it opened to %q", i, got)
		}
	}
}

func TestShortSecret(t *testing.T) {
	if _, err := New([]byte(strings.Repeat("x", MinSecretBytes-1))); err == nil {
		t.Error("a short secret was taken")
	}
}

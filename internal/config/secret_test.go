package config

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// leaks reports whether output has a secret in any spelling fmt knows.
func leaks(output, secret string) bool {
	lower := strings.ToLower(output)
	return strings.Contains(output, secret) ||
		strings.Contains(lower, fmt.Sprintf("%x", secret)) ||
		strings.Contains(lower, fmt.Sprintf("% x", secret)) ||
		strings.Contains(output, strings.Trim(fmt.Sprint([]byte(secret)), "[]"))
}

func TestLeaksNoticesALeak(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"%s", "%x", "%X", "% x", "%q"} {
		if output := fmt.Sprintf(verb, goodSecret); !leaks(output, goodSecret) {
			t.Errorf("does not notice %q", output)
		}
	}
	if !leaks(fmt.Sprint([]byte(goodSecret)), goodSecret) {
		t.Error("does not notice bytes")
	}
}

func TestSecretIsRedactedByEveryVerb(t *testing.T) {
	t.Parallel()
	secret := NewSecret(goodSecret)
	type exported struct{ Secret Secret }
	type hidden struct{ secret Secret } // fmt cannot call the methods of this field
	values := map[string]any{
		"value":            secret,
		"pointer":          &secret,
		"slice":            []Secret{secret},
		"map":              map[string]Secret{"key": secret},
		"field":            exported{secret},
		"unexported":       hidden{secret},
		"pointer to it":    &hidden{secret},
		"slice of it":      []hidden{{secret}},
		"configuration":    Config{Secret: secret, OldSecret: secret, SuperuserPassword: secret},
		"to configuration": &Config{Secret: secret},
	}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%c", "%t", "%p", "%w", "%T"} {
			if output := fmt.Sprintf(verb, value); leaks(output, goodSecret) {
				t.Errorf("%s with %s leaks: %s", name, verb, output)
			}
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if output := fmt.Sprintf(verb, secret); output != "[redacted]" {
			t.Errorf("%s prints %s", verb, output)
		}
	}
}

func TestSecretIsRedactedWhenEncoded(t *testing.T) {
	t.Parallel()
	secret := NewSecret(goodSecret)
	text, err := json.Marshal(map[string]any{"value": secret, "pointer": &secret, "keys": map[Secret]int{secret: 1}})
	if want := `{"keys":{"[redacted]":1},"pointer":"[redacted]","value":"[redacted]"}`; err != nil || string(text) != want {
		t.Errorf("json: got %s, %v; want %s", text, err, want)
	}
	text, err = xml.Marshal(secret)
	if err != nil || leaks(string(text), goodSecret) || !strings.Contains(string(text), "[redacted]") {
		t.Errorf("xml: got %s, %v", text, err)
	}
	var output bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&output, nil), slog.NewJSONHandler(&output, nil)} {
		output.Reset()
		slog.New(handler).Info("start", "secret", secret, "pointer", &secret, "config", Config{Secret: secret})
		if leaks(output.String(), goodSecret) || strings.Count(output.String(), "[redacted]") < 3 {
			t.Errorf("%T writes %s", handler, output.String())
		}
	}
	if secret.String() != "[redacted]" || secret.GoString() != "[redacted]" {
		t.Errorf("got %s, %s", secret.String(), secret.GoString())
	}
}

func TestSecretBytes(t *testing.T) {
	t.Parallel()
	secret := NewSecret("text")
	first := secret.Bytes()
	if !secret.IsSet() || string(first) != "text" {
		t.Fatalf("got %q, %v", first, secret.IsSet())
	}
	first[0] = 'X'
	if string(secret.Bytes()) != "text" {
		t.Fatal("a change of the bytes reached the secret")
	}
	for name, unset := range map[string]Secret{"zero": {}, "empty": NewSecret("")} {
		if unset.IsSet() || unset.Bytes() != nil {
			t.Errorf("%s: %v, %q", name, unset.IsSet(), unset.Bytes())
		}
	}
}

package apikeys

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// leaks reports whether output has the secret part of a key in any spelling.
func leaks(output string, key Key) bool {
	secret := key.Reveal()[len(KeyPrefix):]
	lower := strings.ToLower(output)
	return strings.Contains(output, secret) ||
		strings.Contains(lower, fmt.Sprintf("%x", secret)) ||
		strings.Contains(lower, fmt.Sprintf("% x", secret)) ||
		strings.Contains(output, strings.Trim(fmt.Sprint([]byte(secret)), "[]"))
}

func TestLeaksNoticesALeak(t *testing.T) {
	t.Parallel()
	key := mustGenerate(t, 3)
	text := key.Reveal()
	for _, output := range []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text), fmt.Sprintf("% x", text), fmt.Sprint([]byte(text))} {
		if !leaks(output, key) {
			t.Errorf("does not notice %q", output)
		}
	}
}

func TestKeyIsRedactedByEveryVerb(t *testing.T) {
	t.Parallel()
	key := mustGenerate(t, 1, 2, 3)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%c", "%U", "%t", "%100v"} {
		output := fmt.Sprintf(verb, key)
		if leaks(output, key) {
			t.Errorf("%s leaks: %s", verb, output)
		}
		if !strings.Contains(output, "sk-sokuji-…") {
			t.Errorf("%s does not print the redaction: %s", verb, output)
		}
	}
}

// TestKeyIsRedactedByWrongVerbs uses verbs for which fmt asks no method.
func TestKeyIsRedactedByWrongVerbs(t *testing.T) {
	t.Parallel()
	key := mustGenerate(t, 1, 2, 3)
	for _, verb := range []string{"%p", "%T", "%w", "%!", "%*v", "%[9]v", "none"} {
		for _, value := range []any{key, &key, []Key{key}} {
			if output := fmt.Sprintf(verb, value); leaks(output, key) {
				t.Errorf("%s leaks: %s", verb, output)
			}
		}
	}
}

func TestKeyIsRedactedInsideOtherValues(t *testing.T) {
	t.Parallel()
	key := mustGenerate(t, 4, 5, 6)
	type exported struct{ Key Key }
	type hidden struct{ key Key } // fmt cannot call the methods of this field
	values := map[string]any{
		"pointer":                   &key,
		"slice":                     []Key{key},
		"map":                       map[string]Key{"key": key},
		"map key":                   map[Key]int{key: 1},
		"field":                     exported{key},
		"pointer to field":          &exported{key},
		"unexported field":          hidden{key},
		"pointer to unexported":     &hidden{key},
		"slice of unexported field": []hidden{{key}},
		"any":                       []any{key},
		"unexported any":            struct{ any }{key},
		"deeper":                    []*struct{ inner hidden }{{hidden{key}}},
	}
	for name, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%w"} {
			if output := fmt.Sprintf(verb, value); leaks(output, key) {
				t.Errorf("%s with %s leaks: %s", name, verb, output)
			}
		}
	}
}

func TestKeyIsRedactedWhenEncoded(t *testing.T) {
	t.Parallel()
	key := mustGenerate(t, 7, 8, 9)
	type body struct {
		Key     Key
		Pointer *Key
		ByKey   map[Key]int `xml:"-"`
	}
	value := body{Key: key, Pointer: &key, ByKey: map[Key]int{key: 1}}

	text, err := json.Marshal(value)
	if want := `{"Key":"sk-sokuji-…","Pointer":"sk-sokuji-…","ByKey":{"sk-sokuji-…":1}}`; err != nil || string(text) != want {
		t.Errorf("json: got %s, %v; want %s", text, err, want)
	}
	text, err = xml.Marshal(value)
	if err != nil || leaks(string(text), key) || !strings.Contains(string(text), "sk-sokuji-…") {
		t.Errorf("xml: got %s, %v", text, err)
	}
}

func TestKeyIsRedactedInLogs(t *testing.T) {
	t.Parallel()
	key := mustGenerate(t, 10, 11)
	var output bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&output, nil), slog.NewJSONHandler(&output, nil)} {
		output.Reset()
		slog.New(handler).Info("called", "key", key, "pointer", &key, slog.Group("group", "key", key), "list", []Key{key})
		if leaks(output.String(), key) {
			t.Errorf("%T leaks: %s", handler, output.String())
		}
		if strings.Count(output.String(), "sk-sokuji-…") < 3 {
			t.Errorf("%T does not print the redaction: %s", handler, output.String())
		}
	}
}

func TestKeyStringMethods(t *testing.T) {
	t.Parallel()
	for _, key := range []Key{{}, mustGenerate(t, 1)} {
		if key.String() != "sk-sokuji-…" || key.GoString() != "sk-sokuji-…" {
			t.Errorf("got %s, %s", key.String(), key.GoString())
		}
	}
}

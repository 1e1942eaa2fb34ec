package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func parse(t *testing.T, text string) *Body {
	t.Helper()
	body, err := ParseBody([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return body
}

func TestBodyKeepsWhatItDoesNotChange(t *testing.T) {
	for _, c := range []struct{ text, name, value, want string }{
		{`{"model":"a","n":1.50}`, "model", `"b"`, `{"model":"b","n":1.50}`},
		{`{ "n" : 1e2 , "model" : "a" }`, "model", `"longer name"`, `{ "n" : 1e2 , "model" : "longer name" }`},
		{`{"a":{"model":"x"},"model":"a","z":[1,"}",{"model":2}]}`, "model", `"b"`, `{"a":{"model":"x"},"model":"b","z":[1,"}",{"model":2}]}`},
		{`{"mod\u0065l":"a"}`, "model", `"b"`, `{"mod\u0065l":"b"}`},
		{`{}`, "stream", `true`, `{"stream":true}`},
		{` {"a":"\"}\\"} `, "b", `{"c":1}`, ` {"a":"\"}\\","b":{"c":1}} `},
		{`{"a":true}`, "a", `true`, `{"a":true}`},
		{`{"a":null,"b":-1}`, "b", `2`, `{"a":null,"b":2}`},
	} {
		body := parse(t, c.text).With(c.name, []byte(c.value))
		if string(body.Text()) != c.want {
			t.Errorf("%s with %s: %s, want %s", c.text, c.name, body.Text(), c.want)
		}
		if string(body.Get(c.name)) != c.value {
			t.Errorf("%s: %s is %s", body.Text(), c.name, body.Get(c.name))
		}
	}
}

// Changes can follow on one another, and the first object stays as it was.
func TestBodyChangesSeveralTimes(t *testing.T) {
	first := parse(t, `{"a":1,"b":2,"c":3}`)
	last := first.With("a", []byte(`"long"`)).With("d", []byte(`4`)).With("c", []byte(`[]`)).With("d", []byte(`"x"`)).With("b", []byte(`{}`))
	if string(last.Text()) != `{"a":"long","b":{},"c":[],"d":"x"}` {
		t.Errorf("%s", last.Text())
	}
	if string(first.Text()) != `{"a":1,"b":2,"c":3}` {
		t.Errorf("the first is %s", first.Text())
	}
}

func TestBodyRefuses(t *testing.T) {
	for _, text := range []string{``, `null`, `[]`, `"a"`, `1`, `{`, `{"a":}`, `{"a":1}}`, `{"a":NaN}`, `{"a":1}{"b":2}`} {
		if _, err := ParseBody([]byte(text)); !errors.Is(err, ErrNotAnObject) {
			t.Errorf("%s: %v", text, err)
		}
	}
	// Which of two counts differs between us and the provider.
	for _, text := range []string{`{"model":"cheap","model":"dear"}`, `{"Model":"cheap","model":"dear"}`, `{"model":"a","mod\u0065l":"b"}`, `{"stream":true,"x":1,"STREAM":false}`,
		`{"stream":true,"ſtream":false}`, `{"max_tokens":9,"max_to\u212aens":1}`} {
		_, err := ParseBody([]byte(text))
		if repeated, ok := errors.AsType[*RepeatedMemberError](err); !ok || !strings.Contains(err.Error(), repeated.Name) {
			t.Errorf("%s: %v", text, err)
		}
	}
	many := `{"a":0` + strings.Repeat(`,"b":1`, 0)
	for i := range maxMembers {
		many += `,"x` + strings.Repeat("y", i) + `":1`
	}
	if _, err := ParseBody([]byte(many + "}")); !errors.Is(err, ErrTooManyMembers) {
		t.Errorf("%v", err)
	}
}

// Our outline agrees with encoding/json on every object, and a change changes one
// member only.
func FuzzParseBody(f *testing.F) {
	for _, seed := range []string{`{}`, `{"a":1}`, `{"a":{"b":[1,"}"]},"c":"\\\""}`, `{"a":1,"A":2}`, ` { "x" : null } `, `[]`, `{"\u0061":1}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		body, err := ParseBody(text)
		if err != nil {
			return
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatalf("%q was taken: %v", text, err)
		}
		if len(want) != len(body.members) {
			t.Fatalf("%q has %d members, want %d", text, len(body.members), len(want))
		}
		for name, value := range want {
			if !bytes.Equal(body.Get(name), value) {
				t.Fatalf("%q: %q is %s, want %s", text, name, body.Get(name), value)
			}
		}
		var changed map[string]json.RawMessage
		if err := json.Unmarshal(body.With("model", []byte(`"x"`)).Text(), &changed); err != nil {
			t.Fatalf("%q: after a change %v", text, err)
		}
		want["model"] = json.RawMessage(`"x"`)
		if !reflect.DeepEqual(changed, want) {
			t.Fatalf("%q became %v", text, changed)
		}
	})
}

func TestHideUsage(t *testing.T) {
	for _, c := range []struct {
		chunk, want string
		shown       bool
	}{
		{`{"choices":[{"delta":{"content":"a"}}],"usage":null}`, `{"choices":[{"delta":{"content":"a"}}]}`, true},
		{`{"usage":null,"choices":[1]}`, `{"choices":[1]}`, true},
		{`{"choices":[1], "usage": null, "x":1}`, `{"choices":[1], "x":1}`, true},
		{`{"usage":null}`, `{}`, true},
		{`{"choices":[{"delta":{"content":"a"}}]}`, `{"choices":[{"delta":{"content":"a"}}]}`, true},
		{`{"choices":[],"usage":{"prompt_tokens":1}}`, ``, false},
		{`{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}`, `{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}`, true},
		{`{"choices":[{"delta":{"content":",\"usage\":null"}}]}`, `{"choices":[{"delta":{"content":",\"usage\":null"}}]}`, true},
		{`[DONE]`, `[DONE]`, true},
		{`{"usage"`, `{"usage"`, true},
		{`{"usage":`, `{"usage":`, true},
	} {
		got, shown := HideUsage([]byte(c.chunk))
		if shown != c.shown || shown && string(got) != c.want {
			t.Errorf("%s: %s, %v, want %s, %v", c.chunk, got, shown, c.want, c.shown)
		}
	}
}

// Hiding keeps JSON what it is, but for the usage.
func FuzzHideUsage(f *testing.F) {
	for _, seed := range []string{`{"choices":[],"usage":null}`, `{"usage":null,"a":1}`, `{"a":"\"usage\":null","usage":null}`, `{"a":{"usage":null}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, chunk []byte) {
		before := bytes.Clone(chunk)
		shown, ok := HideUsage(chunk)
		if !bytes.Equal(chunk, before) {
			t.Fatal("the chunk itself was changed")
		}
		if ok && json.Valid(chunk) && !json.Valid(shown) {
			t.Fatalf("%s became %s", chunk, shown)
		}
	})
}

package hooks

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// answer is a response, read to its end.
type answer struct {
	t       *testing.T
	request string
	status  int
	header  http.Header
	body    []byte
}

// want fails the test unless the status is the expected one.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s answered %d, want %d: %s", a.request, a.status, status, a.body)
	}
	return a
}

// value walks into the body along a dotted path; array elements are numbers. It
// is nil where there is nothing.
func (a answer) value(path string) any {
	a.t.Helper()
	var value any
	decoder := json.NewDecoder(strings.NewReader(string(a.body)))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		a.t.Fatalf("%s answered no JSON: %s", a.request, a.body)
	}
	for _, step := range strings.Split(path, ".") {
		switch inner := value.(type) {
		case map[string]any:
			value = inner[step]
		case []any:
			index, err := strconv.Atoi(step)
			if err != nil || index >= len(inner) {
				return nil
			}
			value = inner[index]
		default:
			return nil
		}
	}
	return value
}

func (a answer) text(path string) string {
	a.t.Helper()
	text, _ := a.value(path).(string)
	return text
}

// number returns an integer, or fails when there is none: a float is none.
func (a answer) number(path string) int64 {
	a.t.Helper()
	number, _ := a.value(path).(json.Number)
	value, err := number.Int64()
	if err != nil {
		a.t.Fatalf("%s: %s is not an integer: %s", a.request, path, a.body)
	}
	return value
}

// length returns the length of a list, or fails when there is none.
func (a answer) length(path string) int {
	a.t.Helper()
	list, ok := a.value(path).([]any)
	if !ok {
		a.t.Fatalf("%s: %s is not a list: %s", a.request, path, a.body)
	}
	return len(list)
}

// outcome is the status, and the code of an error where the body has one.
func (a answer) outcome() string {
	a.t.Helper()
	outcome := strconv.Itoa(a.status)
	if a.status < http.StatusBadRequest || len(a.body) == 0 {
		return outcome
	}
	var body struct {
		Code  any
		Error any // an object with the code, below /v1
	}
	if json.Unmarshal(a.body, &body) != nil {
		return outcome
	}
	if inner, ok := body.Error.(map[string]any); ok {
		body.Code = inner["code"]
	}
	if code, ok := body.Code.(string); ok {
		outcome += " " + code
	}
	return outcome
}

func (a answer) wantOutcome(outcome string) answer {
	a.t.Helper()
	if got := a.outcome(); got != outcome {
		a.t.Errorf("%s answered %q, want %q: %s", a.request, got, outcome, a.body)
	}
	return a
}

// names fails unless an error names the field that is wrong.
func (a answer) names(field string) answer {
	a.t.Helper()
	if !strings.Contains(string(a.body), field) {
		a.t.Errorf("%s does not name %s: %s", a.request, field, a.body)
	}
	return a
}

// object writes a body: keys and values in turn.
func object(pairs ...any) string {
	members := make(map[string]any)
	for i := 0; i < len(pairs); i += 2 {
		members[pairs[i].(string)] = pairs[i+1]
	}
	encoded, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

func reader(body string) io.Reader {
	if body == "" {
		return nil
	}
	return strings.NewReader(body)
}

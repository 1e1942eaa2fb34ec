package hooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// maxBodyBytes bounds the body of every route of ours.
const maxBodyBytes = 64 * 1024

// fields reads a JSON object field by field. It keeps the first error, which
// names the field and what to send; readers after it return zero values.
type fields struct {
	raw map[string]json.RawMessage
	err error
}

// readFields reads the body of a request as one JSON object. No body is an
// empty object.
func readFields(e *core.RequestEvent) (*fields, error) {
	body, err := readBody(e, maxBodyBytes)
	if err != nil {
		return nil, err
	}
	return parseFields(body)
}

func readBody(e *core.RequestEvent, maxBytes int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(e.Response, e.Request.Body, maxBytes))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, bodyTooLarge(maxBytes)
	}
	if err != nil {
		return nil, ledger.Invalid("body", "The body could not be read: send it again.")
	}
	return body, nil
}

func bodyTooLarge(maxBytes int64) *refusal {
	return &refusal{
		status: http.StatusRequestEntityTooLarge, code: string(ledger.CodeInvalidRequest), title: "Body too large",
		message: fmt.Sprintf("The body is too large: at most %d bytes.", maxBytes), field: "body",
	}
}

func parseFields(body []byte) (*fields, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return &fields{}, nil
	}
	f := &fields{}
	err := json.Unmarshal(body, &f.raw)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return nil, syntaxError(body, syntax)
	}
	if err != nil || f.raw == nil {
		return nil, ledger.Invalid("body", "The body must be one JSON object, such as {\"amount\":1}.")
	}
	return f, nil
}

var keyBefore = regexp.MustCompile(`"(\w+)"\s*:\s*[^",:]*$`)

// syntaxError names the field whose value is broken, such as the amount of
// {"amount":NaN}, where one is.
func syntaxError(body []byte, err *json.SyntaxError) error {
	end := min(int(err.Offset), len(body))
	if match := keyBefore.FindSubmatch(body[:end]); match != nil {
		field := string(match[1])
		return ledger.Invalid(field, "The body is not valid JSON at the value of "+field+".")
	}
	return ledger.Invalid("body", fmt.Sprintf("The body is not valid JSON near byte %d.", err.Offset))
}

// has tells whether the field is there and not null.
func (f *fields) has(name string) bool {
	raw, ok := f.raw[name]
	return ok && !bytes.Equal(raw, []byte("null"))
}

func (f *fields) fail(name, message string) {
	if f.err == nil {
		f.err = ledger.Invalid(name, message)
	}
}

func (f *fields) text(name string) string {
	if !f.has(name) {
		return ""
	}
	var text string
	if json.Unmarshal(f.raw[name], &text) != nil {
		f.fail(name, name+" must be text.")
	}
	return text
}

func (f *fields) flag(name string) bool {
	if !f.has(name) {
		return false
	}
	var value bool
	if json.Unmarshal(f.raw[name], &value) != nil {
		f.fail(name, name+" must be true or false.")
	}
	return value
}

// integer takes whole numbers as they are written: no decimals, no exponent, no
// text. A missing field is 0.
func (f *fields) integer(name string) int64 {
	if !f.has(name) {
		return 0
	}
	value, err := strconv.ParseInt(string(f.raw[name]), 10, 64)
	if err != nil {
		f.fail(name, name+" must be a whole number, without decimals or quotes.")
	}
	return value
}

// amount is a required number of tokens within the ledger's bounds.
func (f *fields) amount(name string) int64 {
	const message = " must be a whole number of tokens from 1 to 10^15."
	if !f.has(name) {
		f.fail(name, name+" is missing: it"+message)
		return 0
	}
	value, err := strconv.ParseInt(string(f.raw[name]), 10, 64)
	if err != nil || value < 1 || value > ledger.MaxAmountTokens {
		f.fail(name, name+message)
	}
	return value
}

// amountOrZero is an amount that may be 0, but not missing.
func (f *fields) amountOrZero(name string) int64 {
	if f.has(name) && string(f.raw[name]) == "0" {
		return 0
	}
	return f.amount(name)
}

// number returns a JSON number as it is written.
func (f *fields) number(name string) string {
	if !f.has(name) {
		return ""
	}
	var value json.Number
	if f.raw[name][0] == '"' || json.Unmarshal(f.raw[name], &value) != nil {
		f.fail(name, name+" must be a number.")
	}
	return value.String()
}

// instant is a moment in RFC 3339, in whole milliseconds.
func (f *fields) instant(name string) time.Time {
	text := f.text(name)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		f.fail(name, name+" must be a time such as 2026-12-31T00:00:00Z.")
		return time.Time{}
	}
	return given(at.UTC().Truncate(time.Millisecond))
}

// given is a moment that somebody named. The first moment of the year 1 is Go's zero
// time, which everywhere else means that nobody named one: an expiry there would be
// none.
func given(at time.Time) time.Time {
	if at.IsZero() {
		return at.Add(time.Millisecond)
	}
	return at
}

// object returns a JSON object without its white space.
func (f *fields) object(name string) json.RawMessage {
	if !f.has(name) {
		return nil
	}
	if f.raw[name][0] != '{' {
		f.fail(name, name+" must be a JSON object.")
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, f.raw[name]); err != nil {
		f.fail(name, name+" is not valid JSON.")
	}
	return compact.Bytes()
}

// refuse fails when a field is there that this version does not serve.
func (f *fields) refuse(name, message string) {
	if f.has(name) {
		f.fail(name, message)
	}
}

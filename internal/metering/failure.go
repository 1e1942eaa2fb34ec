package metering

import (
	"bytes"
	"encoding/json"
	"errors"
)

// outcomeOfAnswer is what an answer, or an event of one, says of its own end.
type outcomeOfAnswer struct {
	Type     string          `json:"type"`
	Status   string          `json:"status"` // of responses
	Error    json.RawMessage `json:"error"`
	Response struct {
		Status string `json:"status"`
	} `json:"response"`

	// What the endpoints produce.
	Choices json.RawMessage `json:"choices"`
	Output  json.RawMessage `json:"output"`
	Content json.RawMessage `json:"content"`
	Data    json.RawMessage `json:"data"`
	Text    json.RawMessage `json:"text"`
}

const statusFailed = "failed"

// errorMember is searched for without its first quote, like usageMember. Every way
// to say that an answer failed has it.
var errorMember = []byte(`error"`)

// readOutcome reads an answer. A member of another type than expected is passed
// over; only what is no JSON object cannot be read.
func readOutcome(text []byte) (outcomeOfAnswer, bool) {
	var said outcomeOfAnswer
	if !bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) {
		return said, false
	}
	err := json.Unmarshal(text, &said)
	_, isOtherType := errors.AsType[*json.UnmarshalTypeError](err)
	return said, err == nil || isOtherType
}

func (o outcomeOfAnswer) isFailure() bool {
	return saysSomething(o.Error) || o.Type == "error" || o.Type == "response.failed" || o.Status == statusFailed || o.Response.Status == statusFailed
}

// saysSomething tells a value from those that servers write where there is none.
func saysSomething(value json.RawMessage) bool {
	switch string(value) {
	case "", "null", `""`, "{}", "[]", "false":
		return false
	}
	return true
}

// IsFailure tells whether an answer, or an event of a stream, says that the provider
// failed, with whatever status it came.
func IsFailure(text []byte) bool {
	if !bytes.Contains(text, errorMember) {
		return false
	}
	said, ok := readOutcome(text)
	return ok && said.isFailure()
}

// IsNoAnswer tells whether a whole text is none of an endpoint's answers: no object,
// or one without a result, or a failure that came before any. If it has counts, it
// is charged by them nevertheless.
func IsNoAnswer(text []byte) bool {
	said, ok := readOutcome(text)
	if !ok {
		return true
	}
	isThere, isProduced := false, false
	for _, result := range []json.RawMessage{said.Choices, said.Output, said.Content, said.Data, said.Text} {
		isThere = isThere || isGiven(result)
		isProduced = isProduced || saysSomething(result)
	}
	return !isThere || !isProduced && said.isFailure()
}

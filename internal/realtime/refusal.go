package realtime

import (
	"crypto/rand"
	"encoding/json"
	"errors"

	"github.com/coder/websocket"
)

// Refusal is why a session ends, or why one message of the client is not passed
// on, as the client may read it.
type Refusal struct {
	Type    string // such as invalid_request_error
	Code    string
	Message string
	Param   string // the member of the client's message that is wrong
	EventID string // the client's name for its message
	// KeepOpen says that the session goes on without the message.
	KeepOpen bool
	// Close is the code with which the socket closes; 0 means 1008.
	Close websocket.StatusCode
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// The types of errors that are not the client's doing.
const (
	invalidRequest = "invalid_request_error"
	serverError    = "server_error"
)

// Why a session ends although nobody did anything wrong.
var (
	errDraining = &Refusal{
		Type: serverError, Code: "server_shutting_down", Close: websocket.StatusGoingAway,
		Message: "The server is about to restart: connect again in a moment. What was used is charged.",
	}
	errIdle = &Refusal{
		Type: invalidRequest, Code: "session_idle", Close: websocket.StatusNormalClosure,
		Message: "The session was idle for too long: connect again.",
	}
	errExpired = &Refusal{
		Type: invalidRequest, Code: "session_expired", Close: websocket.StatusNormalClosure,
		Message: "The session has reached its longest time: connect again.",
	}
	errProvider = &Refusal{
		Type: serverError, Code: "provider_error", Close: websocket.StatusInternalError,
		Message: "The provider ended the session, or could not be reached: connect again.",
	}
	errInternal = &Refusal{
		Type: serverError, Code: "internal_error", Close: websocket.StatusInternalError,
		Message: "Something went wrong on our side: connect again.",
	}
	errBinary = &Refusal{
		Type: invalidRequest, Code: "invalid_message", Close: websocket.StatusUnsupportedData,
		Message: "Send events as text: binary messages are not passed on.",
	}
)

// refusalOf is what a client may read of an error, nil if there is nothing to say.
func refusalOf(err error) *Refusal {
	if err == nil || errors.Is(err, errClientGone) {
		return nil
	}
	if refusal, ok := errors.AsType[*Refusal](err); ok {
		return refusal
	}
	if ended, ok := errors.AsType[*providerGone](err); ok {
		return ended.refusal()
	}
	return errInternal
}

func (r *Refusal) closeCode() websocket.StatusCode {
	if r == nil {
		return websocket.StatusNormalClosure
	}
	if r.Close == 0 {
		return websocket.StatusPolicyViolation
	}
	return r.Close
}

// event writes a refusal as OpenAI's clients read errors.
func (r *Refusal) event() []byte {
	type detail struct {
		Type    string  `json:"type"`
		Code    *string `json:"code"`
		Message string  `json:"message"`
		Param   *string `json:"param"`
		EventID *string `json:"event_id"`
	}
	event, err := json.Marshal(struct {
		Type    string `json:"type"`
		EventID string `json:"event_id"`
		Error   detail `json:"error"`
	}{"error", "event_" + rand.Text(), detail{r.Type, orNull(r.Code), r.Message, orNull(r.Param), orNull(r.EventID)}})
	if err != nil {
		panic(err) // texts always encode
	}
	return event
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

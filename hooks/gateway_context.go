package hooks

import (
	"fmt"
	"net/http"

	"sokuji/internal/gateway"
	"sokuji/internal/ledger"
	"sokuji/internal/metering"
)

// refuseConversation refuses a conversation that the provider keeps. No route here
// makes one, so it is not known how long it is, or whose.
func refuseConversation(endpoint metering.Endpoint, body *gateway.Body) error {
	if value := body.Get("conversation"); endpoint != metering.Responses || value == nil || string(value) == "null" {
		return nil
	}
	return ledger.Invalid("conversation", "conversation has no meter here: send what was said as input, or name the last answer as previous_response_id.")
}

// addContext reserves for the answer that a call goes on from. It must be the
// caller's own: the provider knows all of them by one account.
func (c *call) addContext() error {
	id := c.asked.PreviousResponse
	if id == "" {
		return nil
	}
	tokens, isKnown, err := c.server.store.ResponseTokens(c.event.Request.Context(), c.bill.request.Subject, id)
	if err != nil {
		return err
	}
	if !isKnown {
		return unknownResponse(id)
	}
	c.asked.AddContext(tokens)
	return nil
}

// unknownResponse is OpenAI's own answer to an id that it does not know.
func unknownResponse(id string) error {
	return &refusal{
		status: http.StatusBadRequest, code: "previous_response_not_found", title: "Invalid previous_response_id", field: "previous_response_id",
		message: fmt.Sprintf("Previous response with id '%.200s' not found.", id),
	}
}

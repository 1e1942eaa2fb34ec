package hooks

import (
	"context"

	"sokuji/internal/ledger"
)

// cost is what something that was consumed costs, and what it was.
type cost struct {
	amount  int64
	byPrice bool // the amount follows from the counts and the price in force
	usage   ledger.Usage
	// refusal says why the counts cannot be priced. It does not matter to a request
	// that was done before.
	refusal error
}

// readCost reads an amount, in the way that the route reads it, or counts of a
// model that the price book prices for the plan of who pays.
func (s *server) readCost(ctx context.Context, payer ledger.Subject, body *fields, amount func(name string) int64) cost {
	c := cost{usage: ledger.Usage{
		Endpoint:   body.text("endpoint"),
		Method:     body.text("method"),
		SessionID:  body.text("sessionId"),
		RequestID:  body.text("requestId"),
		ResponseID: body.text("responseId"),
		EventType:  body.text("eventType"),
		Metadata:   body.object("metadata"),
	}}
	if !body.has("model") && !body.has("provider") {
		c.amount = amount("amount")
		return c
	}
	body.refuse("amount", "amount and model exclude each other: send amount, or provider and model with the counts.")
	readCounts(body, &c.usage)
	if body.err != nil {
		return c
	}
	c.byPrice = true
	plan, err := s.entitlementOf(ctx, payer)
	if err != nil {
		c.refusal = &ledger.Error{Code: ledger.CodeOverloaded, Message: "The plan could not be read: try again in a moment."}
		return c
	}
	c.amount, c.refusal = s.price(&c.usage, plan)
	return c
}

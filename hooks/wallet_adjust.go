package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// walletAdjust corrects a balance by hand, with a reason.
func (s *server) walletAdjust(e *core.RequestEvent) error {
	body, request, err := adminRequest(e)
	if err != nil {
		return err
	}
	if !body.has("amount") {
		body.fail("amount", "amount is missing: send how many tokens to add, or to take with a minus.")
	}
	adjust := ledger.Adjust{
		Request:     request,
		Amount:      body.integer("amount"),
		Description: body.text("description"),
		Metadata:    body.object("metadata"),
	}
	if body.err != nil {
		return body.err
	}
	receipt, err := s.do(e, adjust)
	if err != nil {
		return err
	}
	return writeStanding(e, receipt)
}

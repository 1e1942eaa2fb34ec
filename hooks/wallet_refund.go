package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// refundAnswer shows the reversing entry and what is left of the original.
type refundAnswer struct {
	Success     bool      `json:"success"`
	LedgerEntry entryJSON `json:"ledgerEntry"`
	NewBalance  int64     `json:"newBalance"`
	Refundable  int64     `json:"refundable"`
}

// walletRefund reverses an entry, whole or in part.
func (s *server) walletRefund(e *core.RequestEvent) error {
	body, request, err := adminRequest(e)
	if err != nil {
		return err
	}
	refund := ledger.Refund{
		Request:     request,
		EntryID:     body.text("ledgerId"),
		Description: body.text("description"),
		Metadata:    body.object("metadata"),
	}
	if body.has("amount") {
		refund.Amount = body.amount("amount")
	}
	if body.err != nil {
		return body.err
	}
	receipt, err := s.do(e, refund)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, refundAnswer{
		Success: true, LedgerEntry: showEntry(*receipt.Entry),
		NewBalance: receipt.Wallet.Balance, Refundable: receipt.Refundable,
	})
}

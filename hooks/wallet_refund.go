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

// walletRefund reverses an entry, whole or in part. The entry says whose wallet
// it is, so the body need not.
func (s *server) walletRefund(e *core.RequestEvent) error {
	c, body, err := adminBody(e)
	if err != nil {
		return err
	}
	refund, err := s.refundForm(e, body)
	if err != nil {
		return err
	}
	refund.Request = request(e, c, refund.Subject)
	receipt, err := s.do(e, refund)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, refundAnswer{
		Success: true, LedgerEntry: showEntry(*receipt.Entry),
		NewBalance: receipt.Wallet.Balance, Refundable: receipt.Refundable,
	})
}

func (s *server) refundForm(e *core.RequestEvent, body *fields) (ledger.Refund, error) {
	refund := ledger.Refund{
		EntryID:     body.text("ledgerId"),
		Description: body.text("description"),
		Metadata:    body.object("metadata"),
	}
	if body.has("amount") {
		refund.Amount = body.amount("amount")
	}
	subject, named, err := subjectOfBody(body)
	if err != nil {
		return refund, err
	}
	if !named {
		subject, err = s.ownerOfEntry(e, refund.EntryID)
	}
	refund.Subject = subject
	return refund, err
}

func (s *server) ownerOfEntry(e *core.RequestEvent, entryID string) (ledger.Subject, error) {
	if entryID == "" {
		return ledger.Subject{}, ledger.Invalid("ledgerId", "ledgerId is missing: send the id of the ledger entry to reverse.")
	}
	entry, found, err := s.store.Entry(e.Request.Context(), entryID)
	if err != nil {
		return ledger.Subject{}, err
	}
	if !found {
		return ledger.Subject{}, ledger.Invalid("ledgerId", "ledgerId names no entry of the ledger.")
	}
	return entry.Subject, nil
}

package hooks

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// request makes the part that every operation carries.
func request(e *core.RequestEvent, c caller, subject ledger.Subject) ledger.Request {
	return ledger.Request{
		Subject:        subject,
		IdempotencyKey: e.Request.Header.Get("Idempotency-Key"),
		Actor:          c.actor(),
		Authority:      c.authority(),
		Spender:        spenderOf(c),
	}
}

// authority is in whose name a caller of the HTTP API asks the ledger.
func (c caller) authority() ledger.Authority {
	if c.kind == superuser {
		return ledger.AsSuperuser
	}
	return ledger.AsClient
}

// do performs an operation and says in the answer's headers whether it is the
// first result of a repeated request.
func (s *server) do(e *core.RequestEvent, op ledger.Operation) (ledger.Receipt, error) {
	receipt, err := s.ledger.Do(e.Request.Context(), op)
	if err == nil && receipt.Replayed {
		e.Response.Header().Set("Idempotent-Replayed", "true")
	}
	return receipt, err
}

// adminRequest opens a route on which a superuser acts on a wallet that the body
// names.
func adminRequest(e *core.RequestEvent) (*fields, ledger.Request, error) {
	c, body, err := adminBody(e)
	if err != nil {
		return nil, ledger.Request{}, err
	}
	subject, named, err := subjectOfBody(body)
	if err != nil {
		return nil, ledger.Request{}, err
	}
	if !named {
		return nil, ledger.Request{}, missingSubject()
	}
	return body, request(e, c, subject), nil
}

func adminBody(e *core.RequestEvent) (caller, *fields, error) {
	c, err := requireSuperuser(e)
	if err != nil {
		return c, nil, err
	}
	body, err := readFields(e)
	return c, body, err
}

// standingAnswer is what adjust, freeze and unfreeze answer.
type standingAnswer struct {
	Success     bool       `json:"success"`
	NewBalance  int64      `json:"newBalance"`
	Frozen      bool       `json:"frozen"`
	LedgerEntry *entryJSON `json:"ledgerEntry,omitempty"`
}

func writeStanding(e *core.RequestEvent, receipt ledger.Receipt) error {
	answer := standingAnswer{Success: true, NewBalance: receipt.Wallet.Balance, Frozen: receipt.Wallet.Frozen}
	if receipt.Entry != nil {
		entry := showEntry(*receipt.Entry)
		answer.LedgerEntry = &entry
	}
	return e.JSON(http.StatusOK, answer)
}

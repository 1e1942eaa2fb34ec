package hooks

import (
	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// walletFreeze stops all spending from a wallet.
func (s *server) walletFreeze(e *core.RequestEvent) error {
	return s.changeFreeze(e, func(request ledger.Request, reason string) ledger.Operation {
		return ledger.Freeze{Request: request, Reason: reason}
	})
}

// walletUnfreeze lets a wallet spend again.
func (s *server) walletUnfreeze(e *core.RequestEvent) error {
	return s.changeFreeze(e, func(request ledger.Request, reason string) ledger.Operation {
		return ledger.Unfreeze{Request: request, Reason: reason}
	})
}

func (s *server) changeFreeze(e *core.RequestEvent, operation func(ledger.Request, string) ledger.Operation) error {
	body, request, err := adminRequest(e)
	if err != nil {
		return err
	}
	reason := body.text("reason")
	if body.err != nil {
		return body.err
	}
	receipt, err := s.do(e, operation(request, reason))
	if err != nil {
		return err
	}
	return writeStanding(e, receipt)
}

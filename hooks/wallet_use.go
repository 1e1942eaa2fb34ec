package hooks

import (
	"context"
	"net/http"

	"github.com/pocketbase/pocketbase/core"

	"sokuji/internal/ledger"
)

// useAnswer shows what a use took and the rows that record it.
type useAnswer struct {
	Success     bool       `json:"success"`
	Deducted    int64      `json:"deducted"`
	Remaining   int64      `json:"remaining"`
	LedgerEntry entryJSON  `json:"ledgerEntry"`
	Usage       *usageJSON `json:"usage"`
}

// walletUse takes tokens from a wallet for something that was consumed: an
// amount, or counts of a model that the price book prices.
func (s *server) walletUse(e *core.RequestEvent) error {
	body, c, request, err := s.spendRequest(e, maxBodyBytes)
	if err != nil {
		return err
	}
	use, err := s.useForm(e.Request.Context(), request.Subject, body, request)
	if err != nil {
		return err
	}
	if use.AllowNegative && c.kind != superuser {
		return forbidden("allowNegative is for superusers only.")
	}
	receipt, err := s.do(e, use)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, showUse(receipt))
}

func showUse(receipt ledger.Receipt) useAnswer {
	answer := useAnswer{
		Success:     true,
		Deducted:    -receipt.Entry.Amount,
		Remaining:   receipt.Wallet.Balance,
		LedgerEntry: showEntry(*receipt.Entry),
	}
	if receipt.Usage != nil {
		usage := showUsage(*receipt.Usage)
		answer.Usage = &usage
	}
	return answer
}

func (s *server) useForm(ctx context.Context, payer ledger.Subject, body *fields, request ledger.Request) (ledger.Use, error) {
	cost := s.readCost(ctx, payer, body, body.amount)
	use := ledger.Use{
		Request:       request,
		AllowNegative: body.flag("allowNegative"),
		Description:   body.text("description"),
		Metadata:      cost.usage.Metadata,
		Amount:        cost.amount,
		ByPrice:       cost.byPrice,
		Usage:         cost.usage,
	}
	use.Refusal = cost.refusal
	return use, body.err
}

package hooks

import (
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
	if callerOf(e).kind == guest {
		return unauthorized()
	}
	body, err := readFields(e)
	if err != nil {
		return err
	}
	c, subject, err := requireWalletSpender(e, body)
	if err != nil {
		return err
	}
	use, err := s.useForm(body, request(e, c, subject))
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

func (s *server) useForm(body *fields, request ledger.Request) (ledger.Use, error) {
	use := ledger.Use{
		Request:       request,
		AllowNegative: body.flag("allowNegative"),
		Description:   body.text("description"),
		Metadata:      body.object("metadata"),
		Usage: ledger.Usage{
			Endpoint:   body.text("endpoint"),
			Method:     body.text("method"),
			SessionID:  body.text("sessionId"),
			RequestID:  body.text("requestId"),
			ResponseID: body.text("responseId"),
			EventType:  body.text("eventType"),
		},
	}
	use.Usage.Metadata = use.Metadata
	if !body.has("model") && !body.has("provider") {
		use.Amount = body.amount("amount")
		return use, body.err
	}
	body.refuse("amount", "amount and model exclude each other: send amount, or provider and model with the counts.")
	readCounts(body, &use.Usage)
	if body.err != nil {
		return use, body.err
	}
	// A price that is missing now does not matter to a use that was done before.
	use.ByPrice, use.Refusal = true, s.priceUse(&use)
	return use, nil
}

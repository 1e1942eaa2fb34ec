package ledger

import "strings"

func (a Adjust) validate() error {
	if a.Amount == 0 || absolute(a.Amount) > MaxAmountTokens || absolute(a.Amount) < 0 {
		return Invalid("amount", "amount must be a whole number of tokens, not 0, at most 10^15 either way.")
	}
	if strings.TrimSpace(a.Description) == "" {
		return Invalid("description", "description is missing: say why the balance is adjusted.")
	}
	return firstError(
		validText("description", a.Description, MaxDescriptionBytes),
		validMetadata(a.Metadata),
	)
}

// apply: a correction by hand never takes what is not there.
func (a Adjust) apply(wallet Wallet, facts Facts) (Outcome, error) {
	if a.Amount < 0 && wallet.Available()+a.Amount < 0 {
		return Outcome{}, insufficient(wallet, -a.Amount)
	}
	after, entry, err := post(wallet, stamp(Entry{
		Amount:      a.Amount,
		EventType:   EventAdjust,
		Description: a.Description,
		Metadata:    a.Metadata,
	}, a), facts)
	if err != nil {
		return Outcome{}, err
	}
	outcome := Outcome{
		Wallet: after.credited(),
		Entry:  entry,
		Audit:  audit(a, facts, a.Description, map[string]any{"amountTokens": a.Amount, "ledgerId": entry.ID}),
	}
	if a.Amount < 0 {
		outcome.draw(wallet, facts, drawOrder{})
	}
	return outcome, nil
}

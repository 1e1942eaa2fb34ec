package ledger

import "strings"

// validate allows an amount of 0: the provider may have charged nothing.
func (s Settle) validate() error {
	return firstError(
		validCount("amount", s.Amount),
		s.Usage.validate(),
		validText("description", s.Description, MaxDescriptionBytes),
		validMetadata(s.Metadata),
		s.validKey(),
	)
}

// validKey leaves the gateway's keys to the gateway. A client that took one first
// would have the call for nothing: its settlement would be refused as another
// request under the same key.
func (s Settle) validKey() error {
	if s.Authority != AsGateway && strings.HasPrefix(s.IdempotencyKey, GatewayReference) {
		return Invalid("Idempotency-Key", "Idempotency-Key of a settlement must not begin with "+GatewayReference+", which marks the gateway's own: choose another.")
	}
	return nil
}

// apply: the cost is real already, so it is recorded whatever state the wallet is
// in, beyond the hold and after its deadline too. Only a second closing is refused.
func (s Settle) apply(wallet Wallet, facts Facts) (Outcome, error) {
	before, err := namedHold(wallet, s.Request, s.HoldID, facts)
	if err != nil {
		return Outcome{}, err
	}
	if before.State != HoldOpen && before.State != HoldExpired {
		return Outcome{}, holdNotOpen(before)
	}
	after, entry, err := post(wallet, stamp(Entry{
		Amount:        -s.Amount,
		EventType:     EventUse,
		ReferenceType: ReferenceHold,
		ReferenceID:   before.ID,
		Description:   s.Description,
		Metadata:      s.Metadata,
	}, s), facts)
	if err != nil {
		return Outcome{}, err
	}
	settled := before.closed(HoldSettled, facts.Now)
	settled.LedgerID = entry.ID
	outcome := hold(after, before, *settled, facts)
	outcome.Entry, outcome.Usage = entry, usageRow(entry, s.Usage)
	outcome.draw(wallet, facts, drawOrder{closesHold: true})
	return outcome, nil
}

package ledger

import "slices"

// facts looks up what the rule of an operation depends on.
func (b *batch) facts(op Operation, wallet Wallet) (Facts, error) {
	id, err := b.ledger.ids.Next(b.now)
	if err != nil {
		return Facts{}, err
	}
	facts := Facts{Now: b.now, ID: id}
	if wallet.Expiring > 0 {
		if facts.Grants, err = b.grantsOf(wallet.Subject); err != nil {
			return facts, err
		}
	}
	switch op := op.(type) {
	case Refund:
		err = b.refundFacts(&facts, op)
	case Extend:
		facts.Hold, err = b.hold(op.HoldID)
	case Settle:
		facts.Hold, err = b.hold(op.HoldID)
	case Release:
		facts.Hold, err = b.hold(op.HoldID)
	case expireHold:
		facts.Hold, err = b.hold(op.holdID)
	case expireGrant:
		err = b.expiryFacts(&facts, op, wallet)
	}
	if err != nil {
		return facts, err
	}
	facts.Spending, err = b.spending(spendingKey(op, facts.Hold))
	return facts, err
}

// spending is that of a key as this batch has left it, nil for no key.
func (b *batch) spending(keyID string) (*KeySpending, error) {
	if keyID == "" {
		return nil, nil
	}
	if spending, ok := b.spendings.get(keyID); ok {
		return &spending, nil
	}
	spending, found, err := b.tx.KeySpending(keyID)
	if !found {
		spending = KeySpending{KeyID: keyID}
	}
	return &spending, err
}

func (b *batch) refundFacts(facts *Facts, op Refund) error {
	original, found, err := b.tx.Entry(op.EntryID)
	if err != nil || !found {
		return err
	}
	facts.Original = &original
	if facts.RefundedTokens, err = b.refundedOf(op.EntryID); err != nil {
		return err
	}
	if original.EventType == EventMint {
		grant, err := b.grant(op.EntryID)
		if grant != nil {
			facts.RefundedTokens += grant.Expired
		}
		return err
	}
	return b.takenFacts(facts, op.EntryID)
}

// takenFacts finds the grants that a use took from.
func (b *batch) takenFacts(facts *Facts, entryID string) error {
	moves, err := b.tx.GrantMoves(entryID)
	if err != nil {
		return err
	}
	b.addMoves(moves, entryID)
	facts.Taken, facts.Reversed = make(map[string]int64, len(moves)), make(map[string]int64, len(moves))
	for id, tokens := range moves {
		grant, err := b.grant(id)
		if err != nil {
			return err
		}
		if grant == nil || tokens >= 0 {
			continue
		}
		reversed, err := b.refundedOf(id)
		if err != nil {
			return err
		}
		facts.Taken[id], facts.Reversed[id] = -tokens, reversed
		facts.TakenFrom = append(facts.TakenFrom, *grant)
	}
	return nil
}

// refundedOf is what refunds took from an entry, those of this very batch included.
func (b *batch) refundedOf(entryID string) (int64, error) {
	refunded, err := b.tx.Refunded(entryID)
	return refunded + b.refunded[entryID], err
}

// addMoves adds what refunds in this very batch gave back.
func (b *batch) addMoves(moves map[string]int64, entryID string) {
	refunds := make(map[string]bool)
	for _, entry := range b.changes.Entries {
		if entry.EventType == EventRefund && entry.ReferenceID == entryID {
			refunds[entry.ID] = true
		}
	}
	for _, move := range b.changes.Moves {
		if refunds[move.LedgerID] {
			moves[move.GrantID] += move.Tokens
		}
	}
}

func (b *batch) expiryFacts(facts *Facts, op expireGrant, wallet Wallet) (err error) {
	if facts.Grant, err = b.grant(op.grantID); err != nil || wallet.Held == 0 {
		return err
	}
	facts.OpenHolds, err = b.openHolds(wallet.Subject)
	return err
}

func (b *batch) hold(id string) (*HoldRow, error) {
	if hold, ok := b.holds.get(id); ok {
		return &hold, nil
	}
	if hold, ok := b.ledger.holds[id]; ok {
		return &hold, nil
	}
	hold, found, err := b.tx.Hold(id)
	if err != nil || !found {
		return nil, err
	}
	return &hold, nil
}

func (b *batch) grant(id string) (*Grant, error) {
	if grant, ok := b.grants.get(id); ok {
		return &grant, nil
	}
	grant, found, err := b.tx.Grant(id)
	if err != nil || !found {
		return nil, err
	}
	return &grant, nil
}

// openHolds is the wallet's open holds as this batch has left them.
func (b *batch) openHolds(subject Subject) ([]HoldRow, error) {
	stored, err := b.tx.OpenHolds(subject)
	if err != nil {
		return nil, err
	}
	stored = slices.DeleteFunc(stored, func(h HoldRow) bool { _, changed := b.holds.get(h.ID); return changed })
	for _, hold := range b.holds.rows() {
		if hold.Subject == subject && hold.State == HoldOpen {
			stored = append(stored, hold)
		}
	}
	return stored, nil
}

// grantsOf is the wallet's live grants with tokens left, as this batch has left
// them.
func (b *batch) grantsOf(subject Subject) ([]Grant, error) {
	stored, err := b.storedGrants(subject)
	if err != nil || len(b.grants.order) == 0 {
		return stored, err
	}
	grants := make([]Grant, 0, len(stored))
	for _, grant := range stored {
		if _, changed := b.grants.get(grant.ID); !changed {
			grants = append(grants, grant)
		}
	}
	for _, grant := range b.grants.rows() {
		if grant.Subject == subject && grant.State == GrantLive && grant.Remaining > 0 {
			grants = append(grants, grant)
		}
	}
	slices.SortFunc(grants, soonestFirst)
	return grants, nil
}

// storedGrants reads a wallet's grants once a batch.
func (b *batch) storedGrants(subject Subject) ([]Grant, error) {
	if grants, known := b.grantsRead[subject]; known {
		return grants, nil
	}
	grants, err := b.tx.Grants(subject)
	if err != nil {
		return nil, err
	}
	b.grantsRead[subject] = grants
	return grants, nil
}

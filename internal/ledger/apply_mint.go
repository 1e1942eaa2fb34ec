package ledger

func (m Mint) validate() error {
	if !m.ByPlan || m.Amount != 0 {
		if err := validAmount("amount", m.Amount); err != nil {
			return err
		}
	}
	return firstError(
		validText("externalEventId", m.ExternalEventID, MaxExternalEventBytes),
		validText("planId", m.PlanID, MaxReferenceBytes),
		validText("referenceType", m.ReferenceType, MaxReferenceBytes),
		validText("referenceId", m.ReferenceID, MaxReferenceBytes),
		validText("description", m.Description, MaxDescriptionBytes),
		validMetadata(m.Metadata),
	)
}

// apply: a mint is allowed whatever state the wallet is in, and lifts the freeze
// of a negative balance once the balance is whole.
func (m Mint) apply(wallet Wallet, facts Facts) (Outcome, error) {
	after, entry, err := post(wallet, stamp(Entry{
		Amount:          m.Amount,
		EventType:       EventMint,
		ReferenceType:   m.ReferenceType,
		ReferenceID:     m.ReferenceID,
		PlanID:          m.PlanID,
		ExternalEventID: m.ExternalEventID,
		Description:     m.Description,
		Metadata:        m.Metadata,
	}, m), facts)
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{
		Wallet:      after.credited(),
		Entry:       entry,
		Entitlement: m.Plan,
		Audit: audit(m, facts, m.Description, map[string]any{
			"amountTokens": m.Amount, "planId": m.PlanID, "externalEventId": m.ExternalEventID, "ledgerId": entry.ID,
		}),
	}, nil
}

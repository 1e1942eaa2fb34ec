package ledger

import (
	"fmt"
	"slices"
)

func (r Refund) validate() error {
	if r.EntryID == "" {
		return Invalid("ledgerId", "ledgerId is missing: send the id of the ledger entry to reverse.")
	}
	if r.Amount != 0 {
		if err := validAmount("amount", r.Amount); err != nil {
			return err
		}
	}
	return firstError(
		validText("ledgerId", r.EntryID, MaxReferenceBytes),
		validText("description", r.Description, MaxDescriptionBytes),
		validMetadata(r.Metadata),
	)
}

// apply: reversing a mint takes tokens back and may go below zero, which freezes
// the wallet; reversing a use gives them back.
func (r Refund) apply(wallet Wallet, facts Facts) (Outcome, error) {
	left, err := r.left(wallet, facts)
	if err != nil {
		return Outcome{}, err
	}
	amount := r.Amount
	if amount == 0 {
		amount = left
	}
	if left == 0 {
		return Outcome{}, &Error{
			Code: CodeOverRefund, Field: "ledgerId", Message: fmt.Sprintf("Nothing of entry %s is left to refund.", r.EntryID),
		}
	}
	if amount > left {
		return Outcome{}, &Error{
			Code: CodeOverRefund, Field: "amount", Message: fmt.Sprintf("Only %d tokens of entry %s are left to refund.", left, r.EntryID),
		}
	}

	signed := amount
	if facts.Original.Amount > 0 {
		signed = -amount
	}
	after, entry, err := post(wallet, stamp(Entry{
		Amount:        signed,
		EventType:     EventRefund,
		ReferenceType: ReferenceLedger,
		ReferenceID:   r.EntryID,
		PlanID:        facts.Original.PlanID,
		Description:   r.Description,
		Metadata:      r.Metadata,
	}, r), facts)
	if err != nil {
		return Outcome{}, err
	}

	after = after.credited()
	if signed < 0 && after.Balance < 0 && !after.Frozen {
		after.Frozen, after.FrozenReason = true, FrozenNegativeBalance
	}
	outcome := Outcome{
		Wallet:     after,
		Entry:      entry,
		Refundable: left - amount,
		Audit: audit(r, facts, r.Description, map[string]any{
			"amountTokens": signed, "reverses": r.EntryID, "ledgerId": entry.ID,
		}),
	}
	if signed < 0 {
		outcome.draw(wallet, facts, drawOrder{first: r.EntryID, undatedFirst: true})
		return outcome, nil
	}
	outcome.giveBack(amount, facts)
	return outcome, nil
}

// giveBack restores the grants that the use took from and that still live; what
// came from others comes back without an expiry. So does what was reversed of a mint
// meanwhile, or has expired: it was taken back from other tokens already, and would
// be taken a second time when the grant expires.
func (o *Outcome) giveBack(amount int64, facts Facts) {
	for _, grant := range slices.SortedFunc(slices.Values(facts.TakenFrom), soonestFirst) {
		if grant.live(facts.Now) {
			room := grant.Amount - grant.Remaining - grant.Expired - facts.Reversed[grant.ID]
			amount -= o.restore(grant, min(amount, facts.Taken[grant.ID], room))
		}
	}
}

// left is how many tokens of the original may still be reversed. It is never
// negative, also where an older version gave tokens back to a mint that was reversed.
func (r Refund) left(wallet Wallet, facts Facts) (int64, error) {
	original := facts.Original
	if original == nil || original.Subject != wallet.Subject {
		return 0, Invalid("ledgerId", "ledgerId names no entry of this wallet.")
	}
	if original.EventType != EventMint && original.EventType != EventUse {
		return 0, Invalid("ledgerId", fmt.Sprintf(
			"ledgerId names a %s entry; only mint and use entries can be refunded, use adjust for the others.", original.EventType))
	}
	return max(0, absolute(original.Amount)-facts.RefundedTokens), nil
}

func absolute(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}

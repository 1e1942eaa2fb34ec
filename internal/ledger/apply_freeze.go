package ledger

import "strings"

func (f Freeze) validate() error {
	if err := validReason(f.Reason); err != nil {
		return err
	}
	if f.Reason == FrozenNegativeBalance {
		return Invalid("reason", `reason "`+FrozenNegativeBalance+`" is the ledger's own: a later mint would lift the freeze. Choose other words.`)
	}
	return nil
}

// apply: freezing a frozen wallet again replaces the reason, so that an admin's
// freeze outlasts one that a mint would lift.
func (f Freeze) apply(wallet Wallet, facts Facts) (Outcome, error) {
	wallet.Frozen, wallet.FrozenReason = true, f.Reason
	wallet.UpdatedAt = facts.Now
	return Outcome{Wallet: wallet, Audit: audit(f, facts, f.Reason, nil)}, nil
}

func (u Unfreeze) validate() error {
	return validReason(u.Reason)
}

func (u Unfreeze) apply(wallet Wallet, facts Facts) (Outcome, error) {
	details := map[string]any{"wasFrozen": wallet.Frozen, "frozenReason": wallet.FrozenReason}
	wallet.Frozen, wallet.FrozenReason = false, ""
	wallet.UpdatedAt = facts.Now
	return Outcome{Wallet: wallet, Audit: audit(u, facts, u.Reason, details)}, nil
}

func validReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return Invalid("reason", "reason is missing: say why the wallet is frozen or unfrozen.")
	}
	return validText("reason", reason, MaxDescriptionBytes)
}

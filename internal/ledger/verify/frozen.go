package verify

import (
	"fmt"

	"sokuji/internal/ledger"
)

// A freeze has no entry. What freezes a wallet and lifts a freeze, or may, is in the
// audit log, in the order in which it happened, and what has an entry too has its id.
const freezingActs = `SELECT a.rowid, a.id, a.subject_type, a.subject_id, a.action, a.reason, e.amount_tokens, e.balance_after
FROM audit_log a NOT INDEXED LEFT JOIN wallet_ledger e ON e.id = a.id AND e.subject_id = a.subject_id AND e.subject_type = a.subject_type
WHERE a.action IN ('wallet.freeze', 'wallet.unfreeze', 'wallet.refund', 'wallet.mint', 'wallet.adjust') ORDER BY a.rowid`

const auditTable = "audit_log"

// checkFreezes follows which wallets are frozen, and why.
func (a *audit) checkFreezes() error {
	a.frozen = make(map[ledger.Subject]string)
	return a.each(func(c *cells) error {
		rowid, id := c.integer(), c.text()
		subject, action, reason := c.subject(), c.text(), c.text()
		amount, found := c.maybeInteger()
		balance, _ := c.maybeInteger()
		if action != "wallet.freeze" && action != "wallet.unfreeze" && !found {
			c.fail("it says %s, but no entry of that wallet has its id", action)
		}
		if c.problem != "" {
			a.report.find(auditTable, rowName(id, rowid), "%s", c.problem)
			return nil
		}
		switch before := a.frozen[subject]; {
		case action == "wallet.freeze":
			a.frozen[subject] = reason
		case action == "wallet.unfreeze", before == ledger.FrozenNegativeBalance && balance >= 0:
			delete(a.frozen, subject)
		case action == "wallet.refund" && before == "" && amount < 0 && balance < 0:
			a.frozen[subject] = ledger.FrozenNegativeBalance
		}
		return nil
	}, freezingActs)
}

// freezeProblem holds what a wallet says against what was done to it.
func (a *audit) freezeProblem(wallet ledger.Wallet) string {
	if reason := a.frozen[wallet.Subject]; wallet.FrozenReason != reason {
		return fmt.Sprintf("frozen_reason is %q, but the acts in %s leave %q", wallet.FrozenReason, auditTable, reason)
	}
	return ""
}

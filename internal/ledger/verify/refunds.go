package verify

import (
	"fmt"

	"sokuji/internal/ledger"
)

// The refunds of one entry come together, by the index on them, oldest first.
const allRefunds = `SELECT r.rowid, r.id, r.subject_type, r.subject_id, r.amount_tokens, r.reference_type, r.reference_id,
o.subject_type, o.subject_id, o.event_type, o.amount_tokens
FROM wallet_ledger r LEFT JOIN wallet_ledger o ON o.id = r.reference_id
WHERE r.event_type = 'refund' AND r.request_hash != 'imported' ORDER BY r.reference_id, r.rowid`

// refundIndex is what the refunds are found by; it must show all of them.
const refundIndex = "idx_wallet_ledger_refunds"

// checkRefunds holds refunds against what they reverse.
func (a *audit) checkRefunds() error {
	var seen uint64
	var original string
	var refunded int64
	err := a.each(func(c *cells) error {
		rowid, id := c.integer(), c.text()
		subject, amount := c.subject(), c.tokens(2*ledger.MaxBalanceTokens)
		referenceType, reference := c.text(), c.text()
		seen += a.keys.of([]string{id})
		if c.problem != "" {
			return nil // named already
		}
		if reference != original {
			original, refunded = reference, 0
		}
		refunded += magnitude(amount)
		problem := refundProblem(c, subject, amount, refunded)
		if referenceType != ledger.ReferenceLedger {
			problem = fmt.Sprintf("it is a refund with reference_type %q, not %q", referenceType, ledger.ReferenceLedger)
		}
		if problem != "" {
			a.report.find("wallet_ledger", rowName(id, rowid), "%s", problem)
		}
		return nil
	}, allRefunds)
	if err == nil && seen != a.seen.refunds && a.report.Sound() {
		a.report.find("wallet_ledger", refundIndex, "the index shows other refunds than the table: rebuild it with REINDEX, then verify again")
	}
	return err
}

// refundProblem reads the original's columns.
func refundProblem(c *cells, subject ledger.Subject, amount, refunded int64) string {
	owner := ledger.Subject{Type: ledger.SubjectType(c.maybeText()), ID: c.maybeText()}
	event := ledger.EventType(c.maybeText())
	original, found := c.maybeInteger()
	switch {
	case !found || owner != subject || (event != ledger.EventMint && event != ledger.EventUse):
		return "it refunds no mint or use of its wallet"
	case amount != 0 && (amount > 0) == (original > 0):
		return fmt.Sprintf("it moves %d tokens, in the same direction as the %d that it refunds", amount, original)
	case refunded > magnitude(original):
		return fmt.Sprintf("with it %d of %d tokens are refunded", refunded, magnitude(original))
	}
	return ""
}

func magnitude(n int64) int64 {
	return max(n, -n)
}

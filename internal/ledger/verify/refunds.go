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
	var last string
	var refunded int64
	a.reversed = make(map[string]int64)
	err := a.each(func(c *cells) error {
		rowid, id := c.integer(), c.text()
		subject, amount := c.subject(), c.tokens(2*ledger.MaxBalanceTokens)
		referenceType, reference := c.text(), c.text()
		seen += a.keys.of([]string{id})
		if c.problem != "" {
			return nil // named already
		}
		if reference != last {
			last, refunded = reference, 0
		}
		refunded += magnitude(amount)
		reversed := readOriginal(c)
		problem := reversed.problem(subject, amount, refunded)
		if reversed.event == ledger.EventMint {
			a.reversed[reference] = refunded
		}
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

// original is what a refund says that it reverses.
type original struct {
	owner  ledger.Subject
	event  ledger.EventType
	amount int64
	found  bool
}

func readOriginal(c *cells) (o original) {
	o.owner = ledger.Subject{Type: ledger.SubjectType(c.maybeText()), ID: c.maybeText()}
	o.event = ledger.EventType(c.maybeText())
	o.amount, o.found = c.maybeInteger()
	return o
}

// problem holds a refund against its original, of which refunded tokens are
// reversed with it.
func (o original) problem(subject ledger.Subject, amount, refunded int64) string {
	switch {
	case !o.found || o.owner != subject || (o.event != ledger.EventMint && o.event != ledger.EventUse):
		return "it refunds no mint or use of its wallet"
	case amount != 0 && (amount > 0) == (o.amount > 0):
		return fmt.Sprintf("it moves %d tokens, in the same direction as the %d that it refunds", amount, o.amount)
	case refunded > magnitude(o.amount):
		return fmt.Sprintf("with it %d of %d tokens are refunded", refunded, magnitude(o.amount))
	}
	return ""
}

func magnitude(n int64) int64 {
	return max(n, -n)
}

package verify

import "sokuji/internal/ledger"

const allHolds = `SELECT rowid, id, subject_type, subject_id, amount_tokens, state, expires_at, created_at, closed_at, ledger_id, api_key
FROM wallet_holds NOT INDEXED ORDER BY rowid`

// Both look for rows without their counterpart; they are only asked when the sums
// say that there are some.
const (
	unpaidHolds = `SELECT h.id FROM wallet_holds h LEFT JOIN wallet_ledger e ON e.id = h.ledger_id
AND e.event_type = 'use' AND e.reference_type = 'hold' AND e.reference_id = h.id
AND e.subject_id = h.subject_id AND e.subject_type = h.subject_type
WHERE h.state = 'settled' AND e.id IS NULL LIMIT ?`
	unheldSettles = `SELECT e.id, e.reference_id, h.state, h.ledger_id FROM wallet_ledger e LEFT JOIN wallet_holds h ON h.id = e.reference_id
WHERE e.event_type = 'use' AND e.reference_type = 'hold' AND (h.id IS NULL OR h.state IS NOT 'settled' OR h.ledger_id IS NOT e.id
OR h.subject_id IS NOT e.subject_id OR h.subject_type IS NOT e.subject_type) LIMIT ?`
)

// checkHolds sums the open holds and matches the settled ones with their entries.
func (a *audit) checkHolds() error {
	a.held = make(map[ledger.Subject]int64)
	var settled uint64
	err := a.each(func(c *cells) error {
		a.step()
		a.report.Holds++
		hold, rowid := readHold(c)
		if c.problem != "" {
			a.report.find("wallet_holds", rowName(hold.ID, rowid), "%s", c.problem)
		}
		switch hold.State {
		case ledger.HoldOpen:
			a.held[hold.Subject] += hold.Amount
			a.countHeld(hold.KeyID, hold.Amount)
		case ledger.HoldSettled:
			settled += a.settlePrint(hold.ID, hold.LedgerID, hold.Subject)
		}
		return nil
	}, allHolds)
	if err != nil || settled == a.seen.settles {
		return err
	}
	if err := a.locate("wallet_holds", "it is settled, but its ledger_id names no use of its wallet that settles it", unpaidHolds); err != nil {
		return err
	}
	return a.each(func(c *cells) error {
		entry, hold := c.maybeText(), c.maybeText()
		state, ledgerID := c.maybeText(), c.maybeText()
		if state == "" {
			a.report.find("wallet_ledger", rowName(entry, 0), "it settles the hold %s, which is not there", hold)
		} else {
			a.report.find("wallet_holds", rowName(hold, 0), "the use %s settles it, but it is %s with ledger_id %q, or in another wallet", entry, state, ledgerID)
		}
		return nil
	}, unheldSettles, MaxFindings)
}

func readHold(c *cells) (hold ledger.HoldRow, rowid int64) {
	rowid = c.integer()
	hold.ID = c.text()
	hold.Subject = c.subject()
	hold.Amount = c.tokens(ledger.MaxAmountTokens)
	hold.State = ledger.HoldState(c.text())
	hold.ExpiresAt, _ = c.instant()
	hold.CreatedAt, _ = c.instant()
	closed := c.text()
	hold.LedgerID, hold.KeyID = c.text(), c.text()
	_, closedWell := parseInstant(closed)
	switch hold.State {
	case ledger.HoldOpen:
		if closed != "" {
			c.fail("it is open, but has closed_at %q", closed)
		}
	case ledger.HoldSettled, ledger.HoldReleased, ledger.HoldExpired:
		if !closedWell {
			c.fail("it is %s, but closed_at is %q, not a time in the form %q", hold.State, closed, timeLayout)
		}
	default:
		c.fail("state is %q, none that a hold can have", hold.State)
	}
	if hold.Amount < 0 {
		c.fail("amount_tokens is %d, below 0", hold.Amount)
	}
	if isSettled := hold.State == ledger.HoldSettled; isSettled != (hold.LedgerID != "") {
		c.fail("it is %s with ledger_id %q: a settled hold names its entry, and no other does", hold.State, hold.LedgerID)
	}
	return hold, rowid
}

// locate reports the rows that a query names by their id.
func (a *audit) locate(table, problem, query string, arguments ...any) error {
	return a.each(func(c *cells) error {
		id := c.text()
		a.report.find(table, rowName(id, 0), "%s", problem)
		return nil
	}, query, append(arguments, MaxFindings)...)
}

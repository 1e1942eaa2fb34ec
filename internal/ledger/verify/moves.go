package verify

import (
	"fmt"

	"sokuji/internal/ledger"
)

// The table lies in the order of ledger_id, which is nearly that of the ledger.
const allMoves = `SELECT m.ledger_id, m.grant_id, m.tokens,
e.subject_type, e.subject_id, e.event_type, e.reference_type, e.reference_id, e.amount_tokens
FROM wallet_grant_moves m LEFT JOIN wallet_ledger e ON e.id = m.ledger_id ORDER BY m.ledger_id, m.grant_id`

const unmovedExpiries = `SELECT e.id FROM wallet_ledger e LEFT JOIN wallet_grant_moves m
ON m.ledger_id = e.id AND m.grant_id = e.reference_id AND m.tokens = e.amount_tokens
WHERE e.event_type = 'adjust' AND e.reference_type = 'grant' AND m.tokens IS NULL LIMIT ?`

// move is a row of wallet_grant_moves with the entry that made it.
type move struct {
	ledger.GrantMove
	entry      ledger.Entry
	entryFound bool
}

func (m move) name() string { return m.LedgerID + "/" + m.GrantID }

// isExpiry tells whether the move is that of the entry that took an expired grant's rest.
func (m move) isExpiry() bool {
	e := m.entry
	return e.EventType == ledger.EventAdjust && e.ReferenceType == ledger.ReferenceGrant && e.ReferenceID == m.GrantID
}

// checkMoves adds the moves up, by grant and by entry.
func (a *audit) checkMoves(grants map[string]*grantSums) error {
	var expiries uint64
	var entry string
	var byEntry int64
	err := a.each(func(c *cells) error {
		m := readMove(c)
		if c.problem != "" {
			a.report.find("wallet_grant_moves", m.name(), "%s", c.problem)
			return nil
		}
		if m.LedgerID != entry {
			entry, byEntry = m.LedgerID, 0
		}
		byEntry += m.Tokens
		grant := grants[m.GrantID]
		if problem := m.problem(grant, byEntry); problem != "" {
			a.report.find("wallet_grant_moves", m.name(), "%s", problem)
		}
		if m.isExpiry() {
			expiries += a.keys.of([]string{m.LedgerID, m.GrantID}, m.Tokens)
		}
		if grant == nil {
			return nil
		}
		grant.moved += m.Tokens
		if m.isExpiry() {
			grant.expired -= m.Tokens
		}
		return nil
	}, allMoves)
	if err != nil || expiries == a.seen.expiries {
		return err
	}
	return a.locate("wallet_ledger", "it takes back an expired grant's rest, but no move of that grant agrees with it", unmovedExpiries)
}

func readMove(c *cells) move {
	var m move
	m.LedgerID, m.GrantID = c.text(), c.text()
	m.Tokens = c.tokens(2 * ledger.MaxBalanceTokens)
	m.entry.Subject = ledger.Subject{Type: ledger.SubjectType(c.maybeText()), ID: c.maybeText()}
	m.entry.EventType = ledger.EventType(c.maybeText())
	m.entry.ReferenceType, m.entry.ReferenceID = c.maybeText(), c.maybeText()
	m.entry.Amount, m.entryFound = c.maybeInteger()
	return m
}

// problem holds a move against its grant and its entry, of which byEntry tokens
// are moved so far.
func (m move) problem(grant *grantSums, byEntry int64) string {
	switch {
	case grant == nil:
		return "there is no grant with its grant_id"
	case !m.entryFound || m.entry.Subject != grant.Subject:
		return "its ledger_id names no entry of the grant's wallet"
	case m.isExpiry() && m.Tokens != m.entry.Amount:
		return fmt.Sprintf("it moves %d tokens at the expiry of the grant, but the entry %d", m.Tokens, m.entry.Amount)
	case (m.Tokens < 0) != (m.entry.Amount < 0) || magnitude(byEntry) > magnitude(m.entry.Amount):
		return fmt.Sprintf("it moves %d tokens, the entry with it %d, but the entry's amount is %d", m.Tokens, byEntry, m.entry.Amount)
	}
	return ""
}

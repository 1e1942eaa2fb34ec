package verify

import "sokuji/internal/ledger"

// entryColumns are those of wallet_ledger, in the order in which readEntry takes
// them.
const entryColumns = `rowid, id, subject_type, subject_id, seq, amount_tokens, balance_after, event_type,
reference_type, reference_id, plan_id, external_event_id, idempotency_key, request_hash,
description, metadata, created_at, prev_hash, hash`

// entryRow is a row of wallet_ledger. Its fields can be relied on only while
// problem is empty.
type entryRow struct {
	ledger.Entry
	rowid   int64
	created string // CreatedAt as it is stored
	problem string
}

func (r entryRow) name() string { return rowName(r.ID, r.rowid) }

func readEntry(c *cells) entryRow {
	var r entryRow
	r.rowid = c.integer()
	r.ID = c.text()
	r.Subject = c.subject()
	r.Seq = c.integer()
	r.Amount = c.tokens(2 * ledger.MaxBalanceTokens)
	r.BalanceAfter = c.tokens(ledger.MaxBalanceTokens)
	r.EventType = ledger.EventType(c.text())
	r.ReferenceType, r.ReferenceID = c.text(), c.text()
	r.PlanID, r.ExternalEventID = c.text(), c.text()
	r.IdempotencyKey, r.RequestHash = c.text(), c.text()
	r.Description = c.text()
	r.Metadata = c.object()
	r.CreatedAt, r.created = c.instant()
	r.PrevHash = c.hash(true)
	r.Hash = c.hash(false)
	checkEntry(c, r.Entry)
	r.problem = c.problem
	return r
}

// checkEntry holds an entry against what the ledger writes, apart from its chain.
func checkEntry(c *cells, e ledger.Entry) {
	if e.ID == "" {
		c.fail("id is empty")
	}
	if e.Seq < 1 {
		c.fail("seq is %d: entries are counted from 1", e.Seq)
	}
	switch e.EventType {
	case ledger.EventMint:
		if e.Amount < 0 && !e.IsImported() { // another backend's signs are its own
			c.fail("amount_tokens is %d: a mint adds tokens", e.Amount)
		}
	case ledger.EventUse:
		if e.Amount > 0 && !e.IsImported() {
			c.fail("amount_tokens is %d: a use takes tokens", e.Amount)
		}
	case ledger.EventRefund, ledger.EventAdjust:
	default:
		c.fail("event_type is %q, none that the ledger writes", e.EventType)
	}
}

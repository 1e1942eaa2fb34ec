package verify

const allUsage = `SELECT rowid, id, subject_type, subject_id, charged_tokens, ledger_id, created_at, api_key
FROM usage_logs NOT INDEXED ORDER BY rowid`

// samePaid joins a usage row with the entry that paid for it.
const samePaid = `u.id = e.id AND u.ledger_id = e.id AND u.charged_tokens = -e.amount_tokens
AND u.subject_id = e.subject_id AND u.subject_type = e.subject_type AND u.created_at = e.created_at`

const (
	usesWithoutUsage = `SELECT e.id FROM wallet_ledger e LEFT JOIN usage_logs u ON ` + samePaid + `
WHERE e.event_type = 'use' AND e.request_hash != 'imported' AND e.created_at >= ? AND u.id IS NULL LIMIT ?`
	usageWithoutUse = `SELECT u.id FROM usage_logs u LEFT JOIN wallet_ledger e ON ` + samePaid + ` AND e.event_type = 'use'
WHERE u.ledger_id = u.id AND e.id IS NULL LIMIT ?`
	// A usage row with an id of its own came with the imported entry that paid for it.
	usageWithoutEntry = `SELECT u.id FROM usage_logs u NOT INDEXED LEFT JOIN wallet_ledger e ON e.id = u.ledger_id
AND e.subject_id = u.subject_id AND e.subject_type = u.subject_type AND e.request_hash = 'imported'
WHERE u.ledger_id NOT IN ('', u.id) AND e.id IS NULL LIMIT ?`
)

// checkUsage matches usage rows with uses. Rows without a ledger_id were paid
// elsewhere and do not concern these books; imported ones name their entry. Those from before the archives'
// cutoff may be gone, but what is still there must be right.
func (a *audit) checkUsage() error {
	var seen uint64
	old, hasOwnIDs := false, false
	err := a.each(func(c *cells) error {
		a.step()
		a.report.Usage++
		rowid, id := c.integer(), c.text()
		subject, charged, ledgerID := c.subject(), c.integer(), c.text()
		_, created := c.instant()
		key := c.text()
		if c.problem != "" {
			a.report.find("usage_logs", rowName(id, rowid), "%s", c.problem)
			return nil
		}
		a.countSpent(key, charged, created)
		switch {
		case ledgerID == "":
		case ledgerID != id:
			hasOwnIDs = true
			a.archived.countImported(-1, charged)
		case created < a.cutoff:
			old = true
			a.archived.countGone(-1, -charged)
		default:
			seen += a.usePrint(id, subject, charged, created)
		}
		return nil
	}, allUsage)
	if err == nil {
		a.compareArchives()
	}
	if err == nil && hasOwnIDs {
		err = a.locate("usage_logs", "its ledger_id names no imported entry of its wallet, and any other usage row has the id of the entry that paid for it", usageWithoutEntry)
	}
	if err != nil || (seen == a.seen.uses && !old) {
		return err
	}
	err = a.locate("usage_logs", "no use agrees with it in id, wallet, time and charged tokens", usageWithoutUse)
	if err != nil || seen == a.seen.uses {
		return err
	}
	return a.locate("usage_logs", "the use of this id has no usage row that agrees with it", usesWithoutUsage, a.cutoff)
}

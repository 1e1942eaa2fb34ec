package verify

import "sokuji/internal/ledger"

const allRequests = `SELECT subject_id, kind, idempotency_key, subject_type, fingerprint, entry_id FROM wallet_requests`

// Requests of uses are as many as the uses, and each has the key and the hash of
// its entry, so that the sums compare them. The others are few, and the request
// of a mint may name an entry that another key made.
const (
	strayRequests = `SELECT r.subject_id || '/' || r.kind || '/' || r.idempotency_key
FROM wallet_requests r LEFT JOIN wallet_ledger e ON e.id = r.entry_id
AND e.subject_id = r.subject_id AND e.subject_type = r.subject_type
WHERE r.entry_id != '' AND e.id IS NULL`
	strayFewRequests = strayRequests + ` AND r.kind NOT IN ('use', 'settle') LIMIT ?`
	strayUseRequests = strayRequests + ` AND r.kind IN ('use', 'settle') LIMIT ?`
)

const strayRequest = "its entry_id names no entry of its wallet"

// makesEntry are the kinds of request that never finish without an entry.
var makesEntry = map[ledger.Kind]bool{
	ledger.KindMint: true, ledger.KindUse: true, ledger.KindRefund: true, ledger.KindAdjust: true, ledger.KindSettle: true,
}

// checkRequests matches finished requests with their entries.
func (a *audit) checkRequests() error {
	var uses uint64
	err := a.each(func(c *cells) error {
		a.report.Requests++
		subjectID, kind, key, subjectType := c.text(), ledger.Kind(c.text()), c.text(), c.text()
		hash, entryID := c.text(), c.text()
		subject := ledger.Subject{Type: ledger.SubjectType(subjectType), ID: subjectID}
		if entryID == "" && makesEntry[kind] {
			c.fail("entry_id is empty, but every finished %s has an entry", kind)
		}
		if c.problem != "" {
			a.report.find("wallet_requests", subjectID+"/"+string(kind)+"/"+key, "%s", c.problem)
			return nil
		}
		if (kind == ledger.KindUse || kind == ledger.KindSettle) && entryID != "" {
			uses += a.requestPrint(subject, key, hash, entryID)
		}
		return nil
	}, allRequests)
	if err != nil {
		return err
	}
	if err := a.locate("wallet_requests", strayRequest, strayFewRequests); err != nil || uses == a.seen.keyed {
		return err
	}
	return a.locate("wallet_requests", strayRequest, strayUseRequests)
}

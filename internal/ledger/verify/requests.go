package verify

import "sokuji/internal/ledger"

// allRequests reads all requests, and of those of mints also the entry that they
// name; the others' entries are not looked up.
const allRequests = `SELECT r.subject_id, r.kind, r.idempotency_key, r.subject_type, r.fingerprint, r.entry_id,
e.idempotency_key, e.request_hash, e.external_event_id
FROM wallet_requests r LEFT JOIN wallet_ledger e ON e.id = CASE r.kind WHEN 'mint' THEN r.entry_id END
AND e.subject_id = r.subject_id AND e.subject_type = r.subject_type AND e.event_type = 'mint'`

// sameRequest joins a request with the entry that it made. A use that names a hold
// is a settlement.
const sameRequest = `r.entry_id = e.id AND r.subject_id = e.subject_id AND r.subject_type = e.subject_type
AND r.idempotency_key = e.idempotency_key AND r.fingerprint = e.request_hash
AND r.kind = CASE WHEN e.event_type = 'use' AND e.reference_type = 'hold' THEN 'settle' ELSE e.event_type END`

// Both look for rows without their counterpart; they are only asked when the sums
// say that there are some.
const (
	requestsWithoutEntry = `SELECT r.subject_id || '/' || r.kind || '/' || r.idempotency_key
FROM wallet_requests r LEFT JOIN wallet_ledger e ON ` + sameRequest + `
WHERE r.kind IN ('use', 'settle', 'refund', 'adjust') AND e.id IS NULL LIMIT ?`
	entriesWithoutRequest = `SELECT e.id FROM wallet_ledger e LEFT JOIN wallet_requests r ON ` + sameRequest + `
WHERE e.idempotency_key != '' AND e.request_hash != 'imported' AND r.entry_id IS NULL LIMIT ?`
)

// requestKinds are those that are remembered, and whether they never finish
// without an entry. A batch names the entries of its uses in items; the uses with
// keys of their own have requests of their own.
var requestKinds = map[ledger.Kind]bool{
	ledger.KindMint: true, ledger.KindUse: true, ledger.KindRefund: true, ledger.KindAdjust: true, ledger.KindSettle: true,
	ledger.KindBatch: false, ledger.KindHold: false, ledger.KindExtend: false, ledger.KindRelease: false,
	ledger.KindFreeze: false, ledger.KindUnfreeze: false,
}

// request is a row of wallet_requests.
type request struct {
	subject              ledger.Subject
	kind                 ledger.Kind
	key, fingerprint, id string // id is the entry's
}

func (r request) name() string { return r.subject.ID + "/" + string(r.kind) + "/" + r.key }

// checkRequests matches finished requests with the entries that they made. Each
// entry with an idempotency key has exactly one, which has its key and its hash.
func (a *audit) checkRequests() error {
	var made uint64
	err := a.each(func(c *cells) error {
		a.report.Requests++
		r := readRequest(c)
		own, problem := isOwnRequest(c, r)
		if c.problem != "" {
			problem = c.problem
		}
		if problem != "" {
			a.report.find("wallet_requests", r.name(), "%s", problem)
		}
		if own {
			made += a.requestPrint(r)
		}
		return nil
	}, allRequests)
	if err != nil || made == a.seen.keyed {
		return err
	}
	return a.locateRequests()
}

func readRequest(c *cells) request {
	var r request
	r.subject.ID, r.kind, r.key = c.text(), ledger.Kind(c.text()), c.text()
	r.subject.Type = ledger.SubjectType(c.text())
	r.fingerprint, r.id = c.text(), c.text()
	switch hasEntry, known := requestKinds[r.kind]; {
	case !known:
		c.fail("kind is %q, none that is remembered", r.kind)
	case hasEntry && r.id == "":
		c.fail("entry_id is empty, but every finished %s has an entry", r.kind)
	case !hasEntry && r.id != "":
		c.fail("entry_id is %q, but a %s makes no entry", r.id, r.kind)
	}
	return r
}

// isOwnRequest tells whether a request made the entry that it names. That of a mint
// may name one that another made with the same external event: it is remembered
// too, and the entry knows nothing of it.
func isOwnRequest(c *cells, r request) (isOwn bool, problem string) {
	if r.kind != ledger.KindMint {
		return requestKinds[r.kind], ""
	}
	key, found := c.maybe()
	hash, event := c.maybeText(), c.maybeText()
	switch {
	case !found:
		return false, "its entry_id names no mint of its wallet"
	case key == r.key && hash == r.fingerprint:
		return true, ""
	case key == r.key:
		return false, "its fingerprint is not the request_hash of its entry"
	case event == "":
		return false, "its entry_id names a mint with another idempotency_key and without an external_event_id"
	}
	return false, ""
}

func (a *audit) locateRequests() error {
	before := len(a.report.Findings)
	err := a.locate("wallet_requests", "no entry of its wallet agrees with it in id, kind, idempotency_key and fingerprint", requestsWithoutEntry)
	if err != nil {
		return err
	}
	err = a.locate("wallet_ledger", "it has an idempotency_key, but no finished request agrees with it in kind, key and fingerprint: "+
		"its repetition would not be recognised", entriesWithoutRequest)
	if err == nil && len(a.report.Findings) == before && a.report.Sound() {
		a.report.find("wallet_requests", "(unknown)", "the table does not agree with the keys of the ledger, but the row could not be found")
	}
	return err
}

// sumKeyed adds an entry to those that a finished request must answer for.
func (a *audit) sumKeyed(e ledger.Entry) {
	if e.IdempotencyKey == "" {
		return
	}
	kind := ledger.Kind(e.EventType)
	if e.EventType == ledger.EventUse && e.ReferenceType == ledger.ReferenceHold {
		kind = ledger.KindSettle
	}
	a.seen.keyed += a.requestPrint(request{e.Subject, kind, e.IdempotencyKey, e.RequestHash, e.ID})
}

func (a *audit) requestPrint(r request) uint64 {
	return a.keys.of([]string{string(r.subject.Type), r.subject.ID, string(r.kind), r.key, r.fingerprint, r.id})
}

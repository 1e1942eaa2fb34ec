package verify

import "sokuji/internal/ledger"

// entrySums are fingerprints of parts of the ledger.
type entrySums struct {
	uses     uint64 // with their amounts, of those whose usage row must be there
	daily    bucketSums
	quarters bucketSums
	settles  uint64 // uses that closed a hold
	expiries uint64 // adjustments that took an expired grant's rest
	refunds  uint64
	keyed    uint64 // entries with an idempotency key
}

// The order of rowid is that of writing, and of the seq of each wallet; any other
// order would jump about in a large file.
const allEntries = `SELECT ` + entryColumns + ` FROM wallet_ledger NOT INDEXED ORDER BY rowid`

// checkEntries reads the ledger once and follows all chains side by side.
func (a *audit) checkEntries() error {
	return a.each(func(c *cells) error {
		a.step()
		a.report.Entries++
		a.entry(readEntry(c))
		return nil
	}, allEntries)
}

func (a *audit) entry(row entryRow) {
	if row.problem != "" {
		a.report.find("wallet_ledger", row.name(), "%s", row.problem)
		if wallet, known := a.wallets[row.Subject]; known {
			wallet.pass()
		}
		return
	}
	wallet := a.chainOf(row.Subject)
	if problem := wallet.follow(row.Entry); problem != "" {
		a.report.find("wallet_ledger", row.name(), "%s", problem)
	}
	if wallet.mark != nil {
		a.passMark(wallet.mark, row)
	}
	a.sum(row)
}

func (a *audit) chainOf(subject ledger.Subject) *chain {
	wallet, known := a.wallets[subject]
	if !known {
		wallet = &chain{mark: a.options.Checkpoint.of(subject)}
		a.wallets[subject] = wallet
	}
	return wallet
}

// sum adds an entry to the sums that other tables have to agree with.
func (a *audit) sum(row entryRow) {
	if row.IsImported() {
		a.sumImported(row)
		return
	}
	a.sumKeyed(row.Entry)
	switch {
	case row.EventType == ledger.EventUse:
		a.sumUse(row)
	case row.EventType == ledger.EventRefund:
		a.seen.refunds += a.keys.of([]string{row.ID})
	case row.EventType == ledger.EventAdjust && row.ReferenceType == ledger.ReferenceGrant:
		a.seen.expiries += a.keys.of([]string{row.ID, row.ReferenceID}, row.Amount)
	}
}

// sumImported: what another backend's entry refers to is its own, but its uses are
// in the roll-ups.
func (a *audit) sumImported(row entryRow) {
	if row.EventType == ledger.EventUse {
		a.sumRollups(row)
		a.archived.countImported(1, -row.Amount)
	}
}

func (a *audit) sumRollups(row entryRow) {
	a.seen.daily.add(a.keys.day(row.Subject, row.created[:len("2006-01-02")]), 1, -row.Amount)
	a.seen.quarters.add(a.keys.quarter(row.Subject, row.CreatedAt.Unix()/ledger.QuarterSeconds), 1, -row.Amount)
}

func (a *audit) sumUse(row entryRow) {
	if row.created >= a.cutoff {
		a.seen.uses += a.usePrint(row.ID, row.Subject, -row.Amount, row.created)
	} else {
		a.archived.countGone(1, -row.Amount)
	}
	a.sumRollups(row)
	if row.ReferenceType == ledger.ReferenceHold {
		a.seen.settles += a.settlePrint(row.ReferenceID, row.ID, row.Subject)
	}
}

func (a *audit) usePrint(id string, subject ledger.Subject, tokens int64, created string) uint64 {
	return a.keys.of([]string{id, string(subject.Type), subject.ID, created}, tokens)
}

func (a *audit) settlePrint(holdID, entryID string, subject ledger.Subject) uint64 {
	return a.keys.of([]string{holdID, entryID, string(subject.Type), subject.ID})
}

package ledger

import (
	"context"
	"fmt"
)

// MaxImportRows bounds the rows of one call of Import and ImportUsage.
const MaxImportRows = 5_000

// ImportState says what became of an imported row.
type ImportState int

const (
	ImportDone    ImportState = iota // it is in the books now
	ImportKnown                      // it was there before, by its id
	ImportEvent                      // another entry has its external event, see Holder
	ImportRefused                    // see the error
)

// ImportResult is what became of one ImportedEntry.
type ImportResult struct {
	State ImportState
	Err   error // an *Error that says why it was refused
	// Holder is the entry that has the external event. Whether its money is that of
	// the imported one is the caller's question: it may be of another wallet, or of
	// another amount.
	Holder Entry
	// Usage says what became of each of the entry's usage rows. It is empty when the
	// entry is not in the books.
	Usage []UsageState
}

// UsageState says what became of an imported usage row.
type UsageState int

const (
	UsageDone     UsageState = iota // it is here now
	UsageKnown                      // it was here before
	UsageTaken                      // another row has its id
	UsageArchived                   // its entry was here before, and it may be in an archive
)

// Import writes entries of another backend's books in one transaction, in the
// order given, which must be that of each wallet's ledger. It answers for each
// entry, and is idempotent by the entries' ids. The wallets must be there; their
// roll-ups follow the entries' own times.
//
// isFresh says that no row of these can be in the books yet, so that nobody looks:
// if one is there all the same, the store refuses them all with ErrConflict, and
// they may be tried again without it.
//
// It is a door of its own beside Ledger.Do, for a process that has the books for
// itself: a Ledger that is open on the same store does not see its writes.
func Import(ctx context.Context, store Store, entries []ImportedEntry, isFresh bool) ([]ImportResult, error) {
	if len(entries) > MaxImportRows {
		return nil, fmt.Errorf("ledger: %d entries to import at once, at most %d", len(entries), MaxImportRows)
	}
	tx, err := store.Begin(ctx)
	if err != nil {
		return nil, err
	}
	run := newImportRun(tx)
	run.isFresh = isFresh
	results := make([]ImportResult, 0, len(entries))
	for _, entry := range entries {
		result, err := run.add(entry)
		if err != nil {
			return nil, rollback(tx, err)
		}
		results = append(results, result)
	}
	return results, run.store()
}

// ImportUsage writes usage rows that no entry of these books paid for. It says
// what became of each.
func ImportUsage(ctx context.Context, store Store, rows []UsageRow) ([]UsageState, error) {
	if len(rows) > MaxImportRows {
		return nil, fmt.Errorf("ledger: %d usage rows to import at once, at most %d", len(rows), MaxImportRows)
	}
	tx, err := store.Begin(ctx)
	if err != nil {
		return nil, err
	}
	run := newImportRun(tx)
	states := make([]UsageState, 0, len(rows))
	for _, row := range rows {
		row.LedgerID, row.ChargedTokens = "", 0
		state, err := run.addUsage(row)
		if err != nil {
			return nil, rollback(tx, err)
		}
		states = append(states, state)
	}
	return states, run.store()
}

// importRun is one transaction in the making.
type importRun struct {
	tx      Tx
	isFresh bool
	changes Changes
	wallets kept[Wallet]
	grants  kept[Grant]
	entries map[string]*Entry    // of this run, by id
	events  map[string]*Entry    // of this run, by external event
	usage   map[string]*UsageRow // of this run, by id
	rollups datedRollups
}

func newImportRun(tx Tx) *importRun {
	return &importRun{tx: tx, entries: make(map[string]*Entry), events: make(map[string]*Entry), usage: make(map[string]*UsageRow)}
}

func (r *importRun) add(entry ImportedEntry) (ImportResult, error) {
	if result, known, err := r.known(entry); known || err != nil {
		return result, err
	}
	wallet, found, err := r.wallet(entry.Subject)
	if err != nil {
		return ImportResult{}, err
	}
	if !found {
		return ImportResult{State: ImportRefused, Err: notFound(entry.Subject)}, nil
	}
	facts := Facts{Now: entry.At.UTC(), ID: entry.ID}
	if wallet.Expiring > 0 {
		if facts.Grants, err = r.grantsOf(entry.Subject); err != nil {
			return ImportResult{}, err
		}
	}
	outcome, err := Apply(wallet, importEntry{Request: Request{Subject: entry.Subject}, entry: entry}, facts)
	if err != nil {
		if CodeOf(err) == "" {
			return ImportResult{}, err
		}
		return ImportResult{State: ImportRefused, Err: err}, nil
	}
	return r.record(entry, outcome)
}

// known answers for an entry that is in the books.
func (r *importRun) known(entry ImportedEntry) (ImportResult, bool, error) {
	there, found := r.entries[entry.ID]
	if !found && !r.isFresh {
		stored, isStored, err := r.tx.Entry(entry.ID)
		if err != nil {
			return ImportResult{}, false, err
		}
		there, found = &stored, isStored
	}
	if found {
		if there.Subject != entry.Subject || there.Amount != entry.Amount || there.EventType != entry.EventType {
			return ImportResult{State: ImportRefused, Err: Invalid("id", "id is that of another entry in these books.")}, true, nil
		}
		usage, err := r.addMissingUsage(there, entry)
		return ImportResult{State: ImportKnown, Usage: usage}, true, err
	}
	if entry.ExternalEventID == "" {
		return ImportResult{}, false, nil
	}
	holder, isHeld := r.events[entry.ExternalEventID]
	if !isHeld && !r.isFresh {
		stored, isStored, err := r.tx.EntryByExternalEvent(entry.ExternalEventID)
		if err != nil {
			return ImportResult{}, false, err
		}
		holder, isHeld = &stored, isStored
	}
	if !isHeld {
		return ImportResult{}, false, nil
	}
	return ImportResult{State: ImportEvent, Holder: *holder}, true, nil
}

// record adds an outcome to what will be written.
func (r *importRun) record(imported ImportedEntry, outcome Outcome) (ImportResult, error) {
	entry := outcome.Entry
	r.wallets.put(entry.Subject.ID, outcome.Wallet)
	for _, grant := range outcome.Grants {
		r.grants.put(grant.ID, grant)
	}
	r.changes.Moves = append(r.changes.Moves, outcome.Moves...)
	r.changes.Entries = append(r.changes.Entries, entry)
	r.entries[entry.ID] = entry
	if entry.ExternalEventID != "" {
		r.events[entry.ExternalEventID] = entry
	}
	result := ImportResult{State: ImportDone}
	charge := UsageTotals{Uses: 1, Tokens: -entry.Amount}
	unpaid := chargeOf(entry)
	for _, row := range imported.Usage {
		row.Subject, row.LedgerID = entry.Subject, entry.ID
		// Only the sum is known of an entry that paid for several rows.
		row.ChargedTokens = unpaid
		state, err := r.addUsage(row)
		if err != nil {
			return result, err
		}
		result.Usage = append(result.Usage, state)
		if state == UsageDone {
			unpaid = 0
			charge.plus(tokensOf(row))
		}
	}
	if entry.EventType == EventUse {
		r.rollups.add(entry, charge)
	}
	return result, nil
}

func (r *importRun) wallet(subject Subject) (Wallet, bool, error) {
	if wallet, known := r.wallets.get(subject.ID); known {
		return wallet, wallet.Subject == subject, nil
	}
	return r.tx.Wallet(subject)
}

// grantsOf is a wallet's live grants as this run has left them.
func (r *importRun) grantsOf(subject Subject) ([]Grant, error) {
	stored, err := r.tx.Grants(subject)
	if err != nil {
		return nil, err
	}
	grants := stored[:0]
	for _, grant := range stored {
		if changed, ok := r.grants.get(grant.ID); ok {
			grant = changed
		}
		if grant.Remaining > 0 {
			grants = append(grants, grant)
		}
	}
	return grants, nil
}

func (r *importRun) store() error {
	if len(r.changes.Entries) == 0 && len(r.changes.Usage) == 0 {
		return r.tx.Rollback()
	}
	r.changes.Wallets, r.changes.Grants = r.wallets.rows(), r.grants.rows()
	r.changes.Daily, r.changes.Quarters = r.rollups.daily.rows(), r.rollups.quarters.rows()
	if err := r.tx.Write(&r.changes); err != nil {
		return rollback(r.tx, err)
	}
	return r.tx.Commit()
}

package memorystore

import (
	"fmt"

	"sokuji/internal/ledger"
)

// auditReserved checks holds and grants against the wallets and the entries.
func auditReserved(books Books) error {
	held := make(map[ledger.Subject]int64)
	settled := make(map[string]string) // entry ids by hold
	for _, entry := range books.Entries {
		if entry.ReferenceType != ledger.ReferenceHold {
			continue
		}
		if other, twice := settled[entry.ReferenceID]; twice {
			return fmt.Errorf("hold %s was settled by %s and %s", entry.ReferenceID, other, entry.ID)
		}
		settled[entry.ReferenceID] = entry.ID
	}
	for id, hold := range books.Holds {
		if hold.State == ledger.HoldOpen {
			held[hold.Subject] += hold.Amount
		}
		if hold.LedgerID != settled[id] || (hold.State == ledger.HoldSettled) != (hold.LedgerID != "") {
			return fmt.Errorf("hold %s is %s by %q, the ledger says %q", id, hold.State, hold.LedgerID, settled[id])
		}
		if hold.ClosedAt.IsZero() != (hold.State == ledger.HoldOpen) {
			return fmt.Errorf("hold %s is %s and closed at %s", id, hold.State, hold.ClosedAt)
		}
	}
	expiring, err := auditGrants(books)
	if err != nil {
		return err
	}
	for subject, wallet := range books.Wallets {
		if wallet.Held != held[subject] {
			return fmt.Errorf("wallet of %s holds %d, its open holds %d", subject.ID, wallet.Held, held[subject])
		}
		if wallet.Expiring != expiring[subject] || wallet.Expiring > max(0, wallet.Balance) {
			return fmt.Errorf("wallet of %s has %d expiring of %d, its grants %d", subject.ID, wallet.Expiring, wallet.Balance, expiring[subject])
		}
	}
	return nil
}

// auditGrants returns what is left of the grants of each wallet.
func auditGrants(books Books) (map[ledger.Subject]int64, error) {
	remaining, expired, reversed := make(map[string]int64), make(map[string]int64), make(map[string]int64)
	byEntry := make(map[string]int64)
	for _, move := range books.Moves {
		remaining[move.GrantID] += move.Tokens
		byEntry[move.LedgerID] += move.Tokens
	}
	for id, entry := range books.Entries {
		if entry.ReferenceType == ledger.ReferenceGrant {
			expired[entry.ReferenceID] -= entry.Amount
		}
		if entry.EventType == ledger.EventRefund {
			reversed[entry.ReferenceID] -= entry.Amount
		}
		if moved := byEntry[id]; moved*entry.Amount < 0 || max(moved, -moved) > max(entry.Amount, -entry.Amount) {
			return nil, fmt.Errorf("entry %s of %d moved %d in grants", id, entry.Amount, moved)
		}
	}
	expiring := make(map[ledger.Subject]int64)
	for id, grant := range books.Grants {
		if grant.Remaining != remaining[id] || grant.Expired != expired[id] {
			return nil, fmt.Errorf("grant %s has %d left and %d expired, its moves say %d and its entries %d",
				id, grant.Remaining, grant.Expired, remaining[id], expired[id])
		}
		if mint := books.Entries[id]; mint.EventType != ledger.EventMint || mint.Amount != grant.Amount || mint.Subject != grant.Subject {
			return nil, fmt.Errorf("grant %s has no mint that fits", id)
		}
		if grant.Remaining < 0 || grant.Remaining > grant.Amount || (grant.State == ledger.GrantExpired && grant.Remaining != 0) {
			return nil, fmt.Errorf("grant %s is %s with %d of %d", id, grant.State, grant.Remaining, grant.Amount)
		}
		if grant.Remaining+grant.Expired+reversed[id] > grant.Amount {
			return nil, fmt.Errorf("grant %s has %d left, %d expired and %d reversed of %d", id, grant.Remaining, grant.Expired, reversed[id], grant.Amount)
		}
		expiring[grant.Subject] += grant.Remaining
		delete(expired, id)
		delete(remaining, id)
	}
	if len(expired) > 0 || len(remaining) > 0 {
		return nil, fmt.Errorf("moves or expiries of grants that are not there: %v, %v", remaining, expired)
	}
	return expiring, nil
}

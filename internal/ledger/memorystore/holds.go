package memorystore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"sokuji/internal/ledger"
)

func (t *memoryTx) Hold(id string) (ledger.HoldRow, bool, error) {
	hold, ok := t.store.data.Holds[id]
	return hold, ok, nil
}

func (t *memoryTx) OpenHolds(subject ledger.Subject) ([]ledger.HoldRow, error) {
	var open []ledger.HoldRow
	for _, hold := range t.store.data.Holds {
		if hold.Subject == subject && hold.State == ledger.HoldOpen {
			open = append(open, hold)
		}
	}
	slices.SortFunc(open, func(a, b ledger.HoldRow) int { return cmp.Compare(a.ID, b.ID) })
	return open, nil
}

func (t *memoryTx) Grant(id string) (ledger.Grant, bool, error) {
	grant, ok := t.store.data.Grants[id]
	return grant, ok, nil
}

func (t *memoryTx) Grants(subject ledger.Subject) ([]ledger.Grant, error) {
	var grants []ledger.Grant
	for _, grant := range t.store.data.Grants {
		if grant.Subject == subject && grant.State == ledger.GrantLive && grant.Remaining > 0 {
			grants = append(grants, grant)
		}
	}
	slices.SortFunc(grants, func(a, b ledger.Grant) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), cmp.Compare(a.ID, b.ID))
	})
	return grants, nil
}

func (t *memoryTx) GrantMoves(entryID string) (map[string]int64, error) {
	sums := make(map[string]int64)
	for _, move := range t.store.data.Moves {
		entry := t.store.data.Entries[move.LedgerID]
		if move.LedgerID == entryID || (entry.EventType == ledger.EventRefund && entry.ReferenceID == entryID) {
			sums[move.GrantID] += move.Tokens
		}
	}
	return sums, nil
}

// DueHolds lists open holds whose deadline has passed.
func (m *Memory) DueHolds(_ context.Context, now time.Time, after ledger.DuePosition, limit int) ([]ledger.Due, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var due []ledger.Due
	for _, hold := range m.data.Holds {
		if hold.State == ledger.HoldOpen {
			due = append(due, ledger.Due{Subject: hold.Subject, DuePosition: ledger.DuePosition{ExpiresAt: hold.ExpiresAt, ID: hold.ID}})
		}
	}
	return duePage(due, now, after, limit), nil
}

// DueGrants lists live grants whose time is over.
func (m *Memory) DueGrants(_ context.Context, now time.Time, after ledger.DuePosition, limit int) ([]ledger.Due, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var due []ledger.Due
	for _, grant := range m.data.Grants {
		if grant.State == ledger.GrantLive {
			due = append(due, ledger.Due{Subject: grant.Subject, DuePosition: ledger.DuePosition{ExpiresAt: grant.ExpiresAt, ID: grant.ID}})
		}
	}
	return duePage(due, now, after, limit), nil
}

func duePage(all []ledger.Due, now time.Time, after ledger.DuePosition, limit int) []ledger.Due {
	order := func(a, b ledger.DuePosition) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), cmp.Compare(a.ID, b.ID))
	}
	due := slices.DeleteFunc(all, func(d ledger.Due) bool {
		return d.ExpiresAt.After(now) || order(d.DuePosition, after) <= 0
	})
	slices.SortFunc(due, func(a, b ledger.Due) int { return order(a.DuePosition, b.DuePosition) })
	return due[:min(len(due), limit)]
}

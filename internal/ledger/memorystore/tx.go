package memorystore

import (
	"errors"
	"fmt"

	"sokuji/internal/ledger"
)

var _ ledger.Tx = (*memoryTx)(nil)

// memoryTx reads what is committed, which nobody else can change while it has the
// turn, and keeps its one Write until Commit. What it reads after the Write is
// still what is committed.
type memoryTx struct {
	store   *Memory
	written *ledger.Changes
	over    bool
}

func (t *memoryTx) end() error {
	if t.over {
		return errors.New("the transaction is over")
	}
	t.over = true
	t.store.turn.Unlock()
	return nil
}

func (t *memoryTx) Rollback() error { return t.end() }

// Write checks the constraints that a database would.
func (t *memoryTx) Write(changes *ledger.Changes) error {
	if err := t.store.fail("write"); err != nil {
		return err
	}
	if t.written != nil {
		return errors.New("a transaction writes once")
	}
	if err := t.store.constraints(changes); err != nil {
		return err
	}
	t.written = changes
	return nil
}

func (t *memoryTx) Commit() error {
	if t.over {
		return errors.New("the transaction is over")
	}
	failure := t.store.fail("commit")
	if failure == nil && t.written != nil {
		t.store.apply(t.written)
	}
	return errors.Join(failure, t.end())
}

func (m *Memory) apply(changes *ledger.Changes) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, entry := range changes.Entries {
		m.data.Entries[entry.ID] = *entry
		m.index.add(*entry)
	}
	for _, request := range changes.Requests {
		m.data.Requests[request.Key] = *request
	}
	for _, usage := range changes.Usage {
		m.data.Usage[usage.ID] = *usage
	}
	for _, row := range changes.Audit {
		m.data.Audit = append(m.data.Audit, *row)
	}
	for _, wallet := range changes.Wallets {
		m.data.Wallets[wallet.Subject] = wallet
	}
	for _, hold := range changes.Holds {
		m.data.Holds[hold.ID] = hold
	}
	for _, grant := range changes.Grants {
		m.data.Grants[grant.ID] = grant
	}
	m.data.Moves = append(m.data.Moves, changes.Moves...)
	for _, move := range changes.Moves {
		m.index.moves[pair{move.LedgerID, move.GrantID}] = true
	}
	for _, spending := range changes.Spending {
		m.data.Spending[spending.KeyID] = spending
	}
	for _, entitlement := range changes.Entitlements {
		m.data.Entitlements[entitlement.Subject] = entitlement
	}
	m.addRollups(changes)
}

func (m *Memory) addRollups(changes *ledger.Changes) {
	for _, daily := range changes.Daily {
		key := daily.Subject.ID + " " + daily.Day
		daily.UsageTotals = sum(daily.UsageTotals, m.data.Daily[key].UsageTotals)
		m.data.Daily[key] = daily
	}
	for _, quarter := range changes.Quarters {
		key := quarterKey(quarter.Subject, quarter.Slot)
		quarter.UsageTotals = sum(quarter.UsageTotals, m.data.Quarters[key].UsageTotals)
		m.data.Quarters[key] = quarter
	}
}

func quarterKey(subject ledger.Subject, slot int64) string {
	return fmt.Sprint(subject.ID, " ", slot)
}

func sum(a, b ledger.UsageTotals) ledger.UsageTotals {
	return ledger.UsageTotals{
		Uses: a.Uses + b.Uses, Tokens: a.Tokens + b.Tokens,
		InputTokens: a.InputTokens + b.InputTokens, OutputTokens: a.OutputTokens + b.OutputTokens,
	}
}

func (t *memoryTx) Wallet(subject ledger.Subject) (ledger.Wallet, bool, error) {
	if subject == t.store.Unreadable {
		return ledger.Wallet{}, false, errors.New("the row is damaged")
	}
	wallet, ok := t.store.data.Wallets[subject]
	return wallet, ok, nil
}

func (t *memoryTx) Request(key ledger.RequestKey) (ledger.StoredRequest, bool, error) {
	stored, ok := t.store.data.Requests[key]
	return stored, ok, nil
}

func (t *memoryTx) Entry(id string) (ledger.Entry, bool, error) {
	entry, ok := t.store.data.Entries[id]
	return entry, ok, nil
}

func (t *memoryTx) EntryByExternalEvent(externalEventID string) (ledger.Entry, bool, error) {
	return t.Entry(t.store.index.events[externalEventID])
}

func (t *memoryTx) Usage(id string) (ledger.UsageRow, bool, error) {
	usage, ok := t.store.data.Usage[id]
	return usage, ok, nil
}

func (t *memoryTx) KeySpending(keyID string) (ledger.KeySpending, bool, error) {
	spending, ok := t.store.data.Spending[keyID]
	return spending, ok, nil
}

func (t *memoryTx) Refunded(entryID string) (int64, error) {
	return t.store.index.refunded[entryID], nil
}

package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"sokuji/internal/ledger"
)

var _ ledger.Store = (*Memory)(nil)

// Memory is a store in memory. Its Fail hook may refuse any step, as a disk does.
type Memory struct {
	// Fail is asked before each step ("begin", "write", "commit") and may return
	// an error. A commit that fails has not happened. May be nil.
	Fail func(step string) error
	// Unreadable is a wallet whose row no transaction can read. May be empty.
	Unreadable ledger.Subject

	turn sync.Mutex // held by the open transaction
	mu   sync.RWMutex
	data Books
}

// Books is everything a store keeps.
type Books struct {
	Wallets      map[ledger.Subject]ledger.Wallet
	Entries      map[string]ledger.Entry
	Usage        map[string]ledger.UsageRow
	Audit        []ledger.AuditRow
	Requests     map[ledger.RequestKey]ledger.StoredRequest
	Daily        map[string]ledger.DailyUsage   // by subject id and day
	Quarters     map[string]ledger.QuarterUsage // by subject id and slot
	Holds        map[string]ledger.HoldRow
	Grants       map[string]ledger.Grant
	Moves        []ledger.GrantMove
	Entitlements map[ledger.Subject]ledger.Entitlement
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{data: Books{
		Wallets:      make(map[ledger.Subject]ledger.Wallet),
		Entries:      make(map[string]ledger.Entry),
		Usage:        make(map[string]ledger.UsageRow),
		Requests:     make(map[ledger.RequestKey]ledger.StoredRequest),
		Daily:        make(map[string]ledger.DailyUsage),
		Quarters:     make(map[string]ledger.QuarterUsage),
		Holds:        make(map[string]ledger.HoldRow),
		Grants:       make(map[string]ledger.Grant),
		Entitlements: make(map[ledger.Subject]ledger.Entitlement),
	}}
}

// CreateWallet adds an empty wallet.
func (m *Memory) CreateWallet(subject ledger.Subject) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data.Wallets[subject] = ledger.Wallet{Subject: subject}
}

// Books returns a copy of what is committed.
func (m *Memory) Books() Books {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.data.clone()
}

func (b Books) clone() Books {
	return Books{
		Wallets: maps.Clone(b.Wallets), Entries: maps.Clone(b.Entries), Usage: maps.Clone(b.Usage),
		Audit: slices.Clone(b.Audit), Requests: maps.Clone(b.Requests), Daily: maps.Clone(b.Daily),
		Quarters: maps.Clone(b.Quarters), Holds: maps.Clone(b.Holds), Grants: maps.Clone(b.Grants), Moves: slices.Clone(b.Moves),
		Entitlements: maps.Clone(b.Entitlements),
	}
}

func (m *Memory) fail(step string) error {
	if m.Fail == nil {
		return nil
	}
	return m.Fail(step)
}

// Wallet reads the committed state.
func (m *Memory) Wallet(_ context.Context, subject ledger.Subject) (ledger.Wallet, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	wallet, ok := m.data.Wallets[subject]
	return wallet, ok, nil
}

// Begin waits for its turn, like the one write connection.
func (m *Memory) Begin(context.Context) (ledger.Tx, error) {
	m.turn.Lock()
	if err := m.fail("begin"); err != nil {
		m.turn.Unlock()
		return nil, err
	}
	return &memoryTx{store: m, data: m.Books()}, nil
}

type memoryTx struct {
	store *Memory
	data  Books
	over  bool
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

func (t *memoryTx) Commit() error {
	failure := t.store.fail("commit")
	if failure == nil {
		t.store.mu.Lock()
		t.store.data = t.data
		t.store.mu.Unlock()
	}
	return errors.Join(failure, t.end())
}

func (t *memoryTx) Wallet(subject ledger.Subject) (ledger.Wallet, bool, error) {
	if subject == t.store.Unreadable {
		return ledger.Wallet{}, false, errors.New("the row is damaged")
	}
	wallet, ok := t.data.Wallets[subject]
	return wallet, ok, nil
}

func (t *memoryTx) Request(key ledger.RequestKey) (ledger.StoredRequest, bool, error) {
	stored, ok := t.data.Requests[key]
	return stored, ok, nil
}

func (t *memoryTx) Entry(id string) (ledger.Entry, bool, error) {
	entry, ok := t.data.Entries[id]
	return entry, ok, nil
}

func (t *memoryTx) EntryByExternalEvent(externalEventID string) (ledger.Entry, bool, error) {
	for _, entry := range t.data.Entries {
		if entry.ExternalEventID == externalEventID {
			return entry, true, nil
		}
	}
	return ledger.Entry{}, false, nil
}

func (t *memoryTx) Usage(id string) (ledger.UsageRow, bool, error) {
	usage, ok := t.data.Usage[id]
	return usage, ok, nil
}

func (t *memoryTx) Refunded(entryID string) (int64, error) {
	var sum int64
	for _, entry := range t.data.Entries {
		if entry.EventType == ledger.EventRefund && entry.ReferenceID == entryID {
			sum += max(entry.Amount, -entry.Amount)
		}
	}
	return sum, nil
}

// Write checks the constraints that a database would.
func (t *memoryTx) Write(changes *ledger.Changes) error {
	if err := t.store.fail("write"); err != nil {
		return err
	}
	for _, entry := range changes.Entries {
		if _, taken := t.data.Entries[entry.ID]; taken {
			return fmt.Errorf("entry %s: %w", entry.ID, ledger.ErrConflict)
		}
		t.data.Entries[entry.ID] = *entry
	}
	for _, request := range changes.Requests {
		if _, taken := t.data.Requests[request.Key]; taken {
			return fmt.Errorf("request %v: %w", request.Key, ledger.ErrConflict)
		}
		t.data.Requests[request.Key] = *request
	}
	for _, usage := range changes.Usage {
		t.data.Usage[usage.ID] = *usage
	}
	for _, row := range changes.Audit {
		t.data.Audit = append(t.data.Audit, *row)
	}
	for _, wallet := range changes.Wallets {
		t.data.Wallets[wallet.Subject] = wallet
	}
	for _, daily := range changes.Daily {
		key := daily.Subject.ID + " " + daily.Day
		stored := t.data.Daily[key]
		daily.UsageTotals = sum(daily.UsageTotals, stored.UsageTotals)
		t.data.Daily[key] = daily
	}
	for _, quarter := range changes.Quarters {
		key := fmt.Sprint(quarter.Subject.ID, " ", quarter.Slot)
		quarter.UsageTotals = sum(quarter.UsageTotals, t.data.Quarters[key].UsageTotals)
		t.data.Quarters[key] = quarter
	}
	for _, hold := range changes.Holds {
		if state := t.data.Holds[hold.ID].State; state == ledger.HoldSettled || state == ledger.HoldReleased {
			return fmt.Errorf("hold %s is closed: %w", hold.ID, ledger.ErrConflict)
		}
		t.data.Holds[hold.ID] = hold
	}
	for _, grant := range changes.Grants {
		t.data.Grants[grant.ID] = grant
	}
	t.data.Moves = append(t.data.Moves, changes.Moves...)
	for _, entitlement := range changes.Entitlements {
		t.data.Entitlements[entitlement.Subject] = entitlement
	}
	return nil
}

func sum(a, b ledger.UsageTotals) ledger.UsageTotals {
	return ledger.UsageTotals{
		Uses: a.Uses + b.Uses, Tokens: a.Tokens + b.Tokens,
		InputTokens: a.InputTokens + b.InputTokens, OutputTokens: a.OutputTokens + b.OutputTokens,
	}
}

package memorystore

import (
	"context"
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

	turn  sync.Mutex // held by the open transaction
	mu    sync.RWMutex
	data  Books
	index index
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{data: newBooks(), index: newIndex()}
}

// CreateWallet adds an empty wallet, after the open transaction if there is one.
func (m *Memory) CreateWallet(subject ledger.Subject) {
	m.turn.Lock()
	defer m.turn.Unlock()
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

// Read shows what is committed without copying it. read must neither change nor
// keep it.
func (m *Memory) Read(read func(Books)) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	read(m.data)
}

// Replace puts other books in the place of what is committed, as a restored
// backup does.
func (m *Memory) Replace(books Books) {
	m.turn.Lock()
	defer m.turn.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data, m.index = books.clone(), newIndex()
	for _, entry := range m.data.Entries {
		m.index.add(entry)
	}
	for _, move := range m.data.Moves {
		m.index.moves[pair{move.LedgerID, move.GrantID}] = true
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
	return &memoryTx{store: m}, nil
}

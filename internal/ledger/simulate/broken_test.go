package simulate_test

import (
	"context"
	"testing"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/memorystore"
	"sokuji/internal/ledger/simulate"
)

// broken is a store with one fault, which a simulator that is worth its time
// finds within a few seeds.
type broken struct {
	*memorystore.Memory
	commits int
	// write changes what a batch writes. May be nil.
	write func(*ledger.Changes)
	// loses tells whether a commit is answered and forgotten. May be nil.
	loses func(commit int) bool
	// late keeps the last commit in memory, and loses it when the process dies.
	late bool
	// safe is what is on disk of a late store.
	safe memorystore.Books
}

func (b *broken) Begin(ctx context.Context) (ledger.Tx, error) {
	inner, err := b.Memory.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return &brokenTx{Tx: inner, store: b}, nil
}

func (b *broken) Crash() {
	if b.late && b.safe.Wallets != nil {
		b.Replace(b.safe)
	}
}

type brokenTx struct {
	ledger.Tx
	store *broken
}

func (t *brokenTx) Write(changes *ledger.Changes) error {
	if t.store.write == nil {
		return t.Tx.Write(changes)
	}
	damaged := *changes
	t.store.write(&damaged)
	return t.Tx.Write(&damaged)
}

func (t *brokenTx) Commit() error {
	b := t.store
	b.commits++
	if b.loses != nil && b.loses(b.commits) {
		return t.Rollback()
	}
	if b.late {
		b.safe = b.Books()
	}
	return t.Tx.Commit()
}

// seedsToFind is within how many seeds each fault must be found.
const seedsToFind = 20

func TestBrokenStoresAreFound(t *testing.T) {
	for name, fault := range map[string]broken{
		"a committed batch is lost":                    {loses: func(commit int) bool { return commit%25 == 0 }},
		"a batch is acknowledged before it is on disk": {late: true},
		"a batch is counted twice": {write: func(c *ledger.Changes) {
			c.Daily = append(c.Daily, c.Daily...)
		}},
		"quarters of an hour are not counted": {write: func(c *ledger.Changes) { c.Quarters = nil }},
		"a batch is applied twice": {write: func(c *ledger.Changes) {
			for _, entry := range c.Entries {
				again := *entry
				again.ID, again.Seq, again.ExternalEventID = entry.ID+"x", entry.Seq+1_000_000, ""
				c.Entries = append(c.Entries[:len(c.Entries):len(c.Entries)], &again)
			}
		}},
		"idempotency keys are forgotten": {write: func(c *ledger.Changes) { c.Requests = nil }},
		"one key in a batch is forgotten": {write: func(c *ledger.Changes) {
			if len(c.Requests) > 1 {
				c.Requests = c.Requests[1:]
			}
		}},
		"refusals of a batch are forgotten": {write: func(c *ledger.Changes) {
			requests := make([]*ledger.StoredRequest, 0, len(c.Requests))
			for _, request := range c.Requests {
				kept := *request
				kept.Items = nil
				requests = append(requests, &kept)
			}
			c.Requests = requests
		}},
		"holds stay open": {write: func(c *ledger.Changes) {
			holds := make([]ledger.HoldRow, 0, len(c.Holds))
			for _, hold := range c.Holds {
				if hold.State != ledger.HoldSettled {
					holds = append(holds, hold)
				}
			}
			c.Holds = holds
		}},
		"grants never lose tokens": {write: func(c *ledger.Changes) {
			grants := make([]ledger.Grant, 0, len(c.Grants))
			for _, grant := range c.Grants {
				grant.Remaining = grant.Amount
				grants = append(grants, grant)
			}
			c.Grants = grants
		}},
		"usage rows are lost": {write: func(c *ledger.Changes) { c.Usage = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(seedsToFind) {
				_, err := simulate.Run(simulate.Options{
					Seed: seed, Steps: simulate.DefaultSteps,
					Store: func(memory *memorystore.Memory) ledger.Store {
						store := fault
						store.Memory = memory
						return &store
					},
				})
				if err != nil {
					t.Logf("seed %d: %v", seed, err)
					return
				}
			}
			t.Errorf("not found in %d seeds", seedsToFind)
		})
	}
}

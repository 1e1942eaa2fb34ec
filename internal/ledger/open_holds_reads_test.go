package ledger_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
	"sokuji/internal/ledger/memorystore"
)

// holdReads counts how often the writer reads a hold from its store.
type holdReads struct {
	ledger.Store
	count atomic.Int64
}

type holdReadsTx struct {
	ledger.Tx
	count *atomic.Int64
}

func (h *holdReads) Begin(ctx context.Context) (ledger.Tx, error) {
	tx, err := h.Store.Begin(ctx)
	return holdReadsTx{tx, &h.count}, err
}

func (h holdReadsTx) Hold(id string) (ledger.HoldRow, bool, error) {
	h.count.Add(1)
	return h.Tx.Hold(id)
}

// What the writer opened it closes without a read; what it may not know it reads.
func TestAnOpenHoldIsReadOnlyWhenTheWriterMayNotKnowIt(t *testing.T) {
	memory, clock := memorystore.NewMemory(), ledgertest.NewClock()
	memory.CreateWallet(alice)
	store := &holdReads{Store: memory}
	options := ledger.Options{Now: clock.Now, Random: rand.NewChaCha8([32]byte{}), SweepInterval: -1}
	b := bench{ledger.Open(store, options), memory, clock}
	t.Cleanup(func() { b.Close() })
	reads := func(what string, want int64, op ledger.Operation, code ledger.Code) {
		t.Helper()
		before := store.count.Load()
		if _, err := b.Do(context.Background(), op); ledger.CodeOf(err) != code {
			t.Fatalf("%s: %v", what, err)
		}
		if got := store.count.Load() - before; got != want {
			t.Errorf("%s: %d reads, want %d", what, got, want)
		}
	}
	b.must(t, ledger.Mint{Request: by(""), Amount: 1000})
	open := func() string {
		return b.must(t, ledger.Hold{Request: by(""), Amount: 10, Duration: time.Minute}).Hold.ID
	}

	hold := open()
	reads("extend", 0, ledger.Extend{Request: by(""), HoldID: hold, Amount: 5}, "")
	reads("settle", 0, ledger.Settle{Request: by(""), HoldID: hold, Amount: 7}, "")
	reads("settle a closed one", 1, ledger.Settle{Request: by(""), HoldID: hold, Amount: 7}, ledger.CodeHoldNotOpen)

	hold = open()
	memory.Fail = func(step string) error {
		if step == "commit" {
			return errors.New("the disk is full")
		}
		return nil
	}
	reads("a settle that may have failed", 0, ledger.Settle{Request: by(""), HoldID: hold, Amount: 1}, ledger.CodeOverloaded)
	memory.Fail = nil
	reads("after it", 1, ledger.Release{Request: by(""), HoldID: hold}, "")

	hold = open()
	b.Close()
	clock.Advance(time.Second) // the ids of the new one come after those of the old
	b.Ledger = ledger.Open(store, options)
	reads("after a restart", 1, ledger.Settle{Request: by(""), HoldID: hold, Amount: 2}, "")
	if err := memorystore.Audit(memory.Books()); err != nil {
		t.Error(err)
	}
}

package memorystore_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
	"sokuji/internal/ledger/memorystore"
)

// busyBooks are what the real writer leaves of a wallet with an open hold, a
// settled one, a grant in use, one that is over, and a request with a key.
func busyBooks(t *testing.T) memorystore.Books {
	t.Helper()
	store, clock := memorystore.NewMemory(), ledgertest.NewClock()
	alice := ledger.UserSubject("alice0000000001")
	store.CreateWallet(alice)
	l := ledger.Open(store, ledger.Options{Now: clock.Now, Random: rand.NewChaCha8([32]byte{}), SweepInterval: -1})
	defer l.Close()
	by := func(key string) ledger.Request { return ledger.Request{Subject: alice, IdempotencyKey: key} }
	do := func(op ledger.Operation) ledger.Receipt {
		receipt, err := l.Do(context.Background(), op)
		if err != nil {
			t.Fatal(err)
		}
		return receipt
	}
	do(ledger.Mint{Request: by("short"), Amount: 20, ExpiresAt: clock.Now().Add(time.Minute)})
	clock.Advance(time.Hour)
	long := do(ledger.Mint{Request: by("long"), Amount: 50, ExpiresAt: clock.Now().Add(time.Hour)})
	do(ledger.Refund{Request: by(""), EntryID: long.Entry.ID, Amount: 10})
	do(ledger.Mint{Request: by(""), Amount: 100})
	do(ledger.Hold{Request: by("open"), Amount: 30, Duration: time.Hour})
	settled := do(ledger.Hold{Request: by("settled"), Amount: 5, Duration: time.Hour})
	do(ledger.Settle{Request: by(""), HoldID: settled.Hold.ID, Amount: 4})
	do(ledger.Use{Request: by("use"), Amount: 6})
	byKey := ledger.Request{Subject: alice, Spender: ledger.Spender{KeyID: "key1"}}
	do(ledger.Use{Request: byKey, Amount: 3})
	do(ledger.Hold{Request: byKey, Amount: 2, Duration: time.Hour})
	books := store.Books()
	if err := memorystore.Audit(books); err != nil {
		t.Fatal(err)
	}
	return books
}

// pick is the one row of a table that fits.
func pick[K comparable, V any](t *testing.T, table map[K]V, fits func(V) bool) K {
	t.Helper()
	for key, row := range table {
		if fits(row) {
			return key
		}
	}
	t.Fatal("no such row")
	panic("unreachable")
}

func TestTheAuditSeesDamageToHoldsGrantsAndRequests(t *testing.T) {
	isOpen := func(h ledger.HoldRow) bool { return h.State == ledger.HoldOpen }
	isSettled := func(h ledger.HoldRow) bool { return h.State == ledger.HoldSettled }
	isLive := func(g ledger.Grant) bool { return g.State == ledger.GrantLive }
	isOver := func(g ledger.Grant) bool { return g.State == ledger.GrantExpired }
	anyWallet := func(ledger.Wallet) bool { return true }
	for name, test := range map[string]struct {
		damage func(*testing.T, *memorystore.Books)
		says   string
	}{
		"a key that spent more than its uses": {func(t *testing.T, b *memorystore.Books) {
			edit(b.Spending, "key1", func(k *ledger.KeySpending) { k.Tokens++ })
		}, "its uses and holds say"},
		"a key's day that forgets a use": {func(t *testing.T, b *memorystore.Books) {
			edit(b.Spending, "key1", func(k *ledger.KeySpending) { k.DayTokens-- })
		}, "its uses and holds say"},
		"a key's month that forgets a use": {func(t *testing.T, b *memorystore.Books) {
			edit(b.Spending, "key1", func(k *ledger.KeySpending) { k.MonthTokens-- })
		}, "its uses and holds say"},
		"a key that reserves without a hold": {func(t *testing.T, b *memorystore.Books) {
			edit(b.Spending, "key1", func(k *ledger.KeySpending) { k.HeldTokens++ })
		}, "its uses and holds say"},
		"a key that is forgotten": {func(t *testing.T, b *memorystore.Books) {
			delete(b.Spending, "key1")
		}, "is not kept"},
		"held without a hold": {func(t *testing.T, b *memorystore.Books) {
			edit(b.Wallets, pick(t, b.Wallets, anyWallet), func(w *ledger.Wallet) { w.Held++ })
		}, "its open holds"},
		"a hold that grew alone": {func(t *testing.T, b *memorystore.Books) {
			edit(b.Holds, pick(t, b.Holds, isOpen), func(h *ledger.HoldRow) { h.Amount++ })
		}, "its open holds"},
		"a hold that vanished": {func(t *testing.T, b *memorystore.Books) {
			delete(b.Holds, pick(t, b.Holds, isOpen))
		}, "hold"},
		"a settlement without its entry": {func(t *testing.T, b *memorystore.Books) {
			edit(b.Holds, pick(t, b.Holds, isOpen), func(h *ledger.HoldRow) { h.State, h.ClosedAt = ledger.HoldSettled, h.CreatedAt })
		}, "the ledger says"},
		"an entry whose hold is open again": {func(t *testing.T, b *memorystore.Books) {
			edit(b.Holds, pick(t, b.Holds, isSettled), func(h *ledger.HoldRow) { h.State, h.LedgerID = ledger.HoldOpen, "" })
		}, "the ledger says"},
		"a closed hold without a time": {func(t *testing.T, b *memorystore.Books) {
			edit(b.Holds, pick(t, b.Holds, isSettled), func(h *ledger.HoldRow) { h.ClosedAt = time.Time{} })
		}, "closed at"},
		"expiring without a grant": {func(t *testing.T, b *memorystore.Books) {
			edit(b.Wallets, pick(t, b.Wallets, anyWallet), func(w *ledger.Wallet) { w.Expiring-- })
		}, "expiring"},
		"a grant that grew alone": {func(t *testing.T, b *memorystore.Books) {
			edit(b.Grants, pick(t, b.Grants, isLive), func(g *ledger.Grant) { g.Remaining++ })
		}, "its moves say"},
		"a grant that has what was reversed": {func(t *testing.T, b *memorystore.Books) {
			id := pick(t, b.Grants, isLive)
			more := b.Grants[id].Amount - b.Grants[id].Remaining
			edit(b.Grants, id, func(g *ledger.Grant) { g.Remaining += more })
			edit(b.Wallets, pick(t, b.Wallets, anyWallet), func(w *ledger.Wallet) { w.Expiring += more })
			undated := pick(t, b.Entries, func(e ledger.Entry) bool { return e.Amount == 100 })
			b.Moves = append(b.Moves, ledger.GrantMove{LedgerID: undated, GrantID: id, Tokens: more})
		}, "10 reversed of 50"},
		"a grant without its mint": {func(t *testing.T, b *memorystore.Books) {
			edit(b.Grants, pick(t, b.Grants, isLive), func(g *ledger.Grant) { g.Amount++ })
		}, "no mint"},
		"an expired grant that forgot": {func(t *testing.T, b *memorystore.Books) {
			edit(b.Grants, pick(t, b.Grants, isOver), func(g *ledger.Grant) { g.Expired-- })
		}, "expired"},
		"a move that is lost": {func(_ *testing.T, b *memorystore.Books) { b.Moves = b.Moves[1:] }, "its moves say"},
		"a grant that is lost": {func(t *testing.T, b *memorystore.Books) {
			delete(b.Grants, pick(t, b.Grants, isLive))
		}, "gran"},
		"a quarter of an hour that is off": {func(t *testing.T, b *memorystore.Books) {
			key := pick(t, b.Quarters, func(ledger.QuarterUsage) bool { return true })
			edit(b.Quarters, key, func(q *ledger.QuarterUsage) { q.Uses++ })
		}, "quarter-hour"},
		"a quarter of an hour too many": {func(_ *testing.T, b *memorystore.Books) { b.Quarters["x 1"] = ledger.QuarterUsage{} }, "roll-ups"},
		"a request without its entry": {func(t *testing.T, b *memorystore.Books) {
			key := pick(t, b.Requests, func(r ledger.StoredRequest) bool { return r.EntryID != "" })
			edit(b.Requests, key, func(r *ledger.StoredRequest) { r.EntryID = "gone" })
		}, "names entry gone"},
		"a batch without an entry": {func(t *testing.T, b *memorystore.Books) {
			key := pick(t, b.Requests, func(r ledger.StoredRequest) bool { return r.EntryID != "" })
			edit(b.Requests, key, func(r *ledger.StoredRequest) { r.Items = []ledger.StoredItem{{EntryID: "gone"}} })
		}, "names entry gone"},
		"a request without its hold": {func(t *testing.T, b *memorystore.Books) {
			key := pick(t, b.Requests, func(r ledger.StoredRequest) bool { return r.Hold != nil })
			edit(b.Requests, key, func(r *ledger.StoredRequest) { r.Hold = &ledger.HoldRow{ID: "gone"} })
		}, "names hold gone"},
	} {
		books := busyBooks(t)
		test.damage(t, &books)
		if err := memorystore.Audit(books); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want %q in it", name, err, test.says)
		}
	}
}

// A writer that starts with a clock that is behind gives ids that do not grow;
// nothing else is wrong with its books.
func TestOnlyTheFullAuditMindsTheOrderOfIDs(t *testing.T) {
	store, clock := memorystore.NewMemory(), ledgertest.NewClock()
	alice := ledger.UserSubject("alice0000000001")
	store.CreateWallet(alice)
	for range 2 {
		l := ledger.Open(store, ledger.Options{Now: clock.Now, Random: rand.NewChaCha8([32]byte{}), SweepInterval: -1})
		if _, err := l.Do(context.Background(), ledger.Mint{Request: ledger.Request{Subject: alice}, Amount: 1}); err != nil {
			t.Fatal(err)
		}
		l.Close()
		clock.Advance(-time.Hour)
	}
	if err := memorystore.AuditContents(store.Books()); err != nil {
		t.Error(err)
	}
	if err := memorystore.Audit(store.Books()); err == nil || !strings.Contains(err.Error(), "does not sort after") {
		t.Errorf("got %v", err)
	}
}

// The books that Read shows are those that Books copies, and Replace puts others
// in their place with all that the store looks them up by.
func TestReplaceBringsTheIndexAlong(t *testing.T) {
	books := busyBooks(t)
	store := memorystore.NewMemory()
	store.Replace(books)
	var seen int
	store.Read(func(b memorystore.Books) { seen = len(b.Entries) })
	if seen == 0 || seen != len(books.Entries) {
		t.Fatalf("%d entries, want %d", seen, len(books.Entries))
	}
	for id, entry := range books.Entries {
		tx, err := store.Begin(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		entry.ID = "another"
		if err := tx.Write(&ledger.Changes{Entries: []*ledger.Entry{&entry}}); err == nil {
			t.Errorf("the place of entry %s was free", id)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}

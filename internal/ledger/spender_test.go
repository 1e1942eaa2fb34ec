package ledger_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
	"sokuji/internal/ledger/memorystore"
)

// keyBench is a ledger with one rich wallet, and a key that may spend little.
type keyBench struct {
	*ledger.Ledger
	t     *testing.T
	store *memorystore.Memory
	clock *ledgertest.Clock
}

func newKeyBench(t *testing.T) keyBench {
	t.Helper()
	store, clock := memorystore.NewMemory(), ledgertest.NewClock()
	clock.Advance(noon.Sub(clock.Now()))
	store.CreateWallet(alice)
	l := ledger.Open(store, ledger.Options{Now: clock.Now, Random: rand.NewChaCha8([32]byte{}), SweepInterval: -1})
	t.Cleanup(l.Close)
	b := keyBench{l, t, store, clock}
	b.want("", ledger.Mint{Request: ledger.Request{Subject: alice}, Amount: 1_000_000})
	return b
}

func (b keyBench) want(code ledger.Code, op ledger.Operation) ledger.Receipt {
	b.t.Helper()
	receipt, err := b.Do(context.Background(), op)
	if ledger.CodeOf(err) != code || (code == "" && err != nil) {
		b.t.Fatalf("%T: got %v, want %q", op, err, code)
	}
	return receipt
}

func (b keyBench) spent(key string) ledger.KeySpending {
	b.t.Helper()
	books := b.store.Books()
	if err := memorystore.Audit(books); err != nil {
		b.t.Fatal(err)
	}
	return books.Spending[key]
}

func asking(s ledger.Spender) ledger.Request { return ledger.Request{Subject: alice, Spender: s} }

func TestAKeyStopsAtItsLimit(t *testing.T) {
	b := newKeyBench(t)
	key := ledger.Spender{KeyID: "key1", LimitTokens: 100}
	b.want("", ledger.Use{Request: asking(key), Amount: 60})
	b.want(ledger.CodeSpendLimitReached, ledger.Use{Request: asking(key), Amount: 41})
	hold := b.want("", ledger.Hold{Request: asking(key), Amount: 30, Duration: time.Hour}).Hold
	b.want(ledger.CodeSpendLimitReached, ledger.Use{Request: asking(key), Amount: 11})
	b.want(ledger.CodeSpendLimitReached, ledger.Hold{Request: asking(key), Amount: 11, Duration: time.Hour})
	b.want(ledger.CodeSpendLimitReached, ledger.Extend{Request: asking(key), HoldID: hold.ID, Amount: 11})
	b.want("", ledger.Extend{Request: asking(key), HoldID: hold.ID, Amount: 10})
	b.want("", ledger.Extend{Request: asking(key), HoldID: hold.ID, Duration: 2 * time.Hour})
	b.want("", ledger.Settle{Request: asking(key), HoldID: hold.ID, Amount: 5})
	b.want("", ledger.Use{Request: asking(key), Amount: 35})
	b.want(ledger.CodeSpendLimitReached, ledger.Use{Request: asking(key), Amount: 1})
	b.want("", ledger.Use{Request: asking(ledger.Spender{KeyID: "key2"}), Amount: 1})
	b.want("", ledger.Use{Request: asking(ledger.Spender{}), Amount: 1})
	if got := b.spent("key1"); got.Tokens != 100 || got.HeldTokens != 0 {
		t.Errorf("the key has spent %+v, want 100 and nothing held", got)
	}
}

func TestTheGatewaysSettlementIsRecordedBeyondTheLimit(t *testing.T) {
	b := newKeyBench(t)
	key := ledger.Spender{KeyID: "key1", LimitTokens: 10}
	hold := b.want("", ledger.Hold{Request: asking(key), Amount: 10, Duration: time.Hour}).Hold
	receipt := b.want("", ledger.Settle{Request: as(ledger.AsGateway, asking(ledger.Spender{})), HoldID: hold.ID, Amount: 25})
	if receipt.Usage.APIKey != "key1" {
		t.Errorf("the usage row names %q, want the key that opened the hold", receipt.Usage.APIKey)
	}
	if got := b.spent("key1"); got.Tokens != 25 {
		t.Errorf("the key has spent %d, want 25", got.Tokens)
	}
	b.want(ledger.CodeSpendLimitReached, ledger.Hold{Request: asking(key), Amount: 1, Duration: time.Hour})
}

// What a key says that it used is its own word: beyond its hold it is bounded like
// a use.
func TestASettlementStopsAtTheLimit(t *testing.T) {
	for name, key := range map[string]ledger.Spender{
		"limit":  {KeyID: "key1", LimitTokens: 100},
		"day":    {KeyID: "key1", DailyBudgetTokens: 100},
		"month":  {KeyID: "key1", MonthlyBudgetTokens: 100},
		"wallet": {KeyID: "key1"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newKeyBench(t)
			most, code := int64(100), ledger.CodeSpendLimitReached
			if name == "wallet" {
				most, code = 1_000_000, ledger.CodeInsufficientBalance
			}
			b.want("", ledger.Hold{Request: asking(key), Amount: 15, Duration: 2 * time.Hour})
			hold := b.want("", ledger.Hold{Request: asking(key), Amount: 10, Duration: time.Hour}).Hold
			for range 2 { // the second time behind its deadline
				b.want(code, ledger.Settle{Request: asking(key), HoldID: hold.ID, Amount: most - 15 + 1})
				if got := b.spent("key1"); got.Tokens != 0 || got.HeldTokens != 25 {
					t.Fatalf("a refused settlement left %+v", got)
				}
				b.clock.Advance(time.Hour)
			}
			b.want("", ledger.Settle{Request: asking(key), HoldID: hold.ID, Amount: most - 15})
			if got := b.spent("key1"); got.Tokens != most-15 || got.HeldTokens != 15 {
				t.Errorf("the key has spent %+v", got)
			}
		})
	}
}

// A key whose limit was lowered meanwhile still settles what it reserved.
func TestASettlementWithinTheHoldAsksNobody(t *testing.T) {
	b := newKeyBench(t)
	hold := b.want("", ledger.Hold{Request: asking(ledger.Spender{KeyID: "key1"}), Amount: 10, Duration: time.Hour}).Hold
	lowered := ledger.Spender{KeyID: "key1", LimitTokens: 1}
	b.want(ledger.CodeSpendLimitReached, ledger.Settle{Request: asking(lowered), HoldID: hold.ID, Amount: 11})
	b.want("", ledger.Settle{Request: asking(lowered), HoldID: hold.ID, Amount: 10})
}

// Whoever settles, it counts for the key that opened the hold, whose bounds only
// that key brings along.
func TestAKeyChargesNoOtherKeyBeyondItsHold(t *testing.T) {
	b := newKeyBench(t)
	one, two := ledger.Spender{KeyID: "key1", LimitTokens: 100}, ledger.Spender{KeyID: "key2"}
	hold := b.want("", ledger.Hold{Request: asking(one), Amount: 10, Duration: time.Hour}).Hold
	b.want(ledger.CodeSpendLimitReached, ledger.Settle{Request: asking(two), HoldID: hold.ID, Amount: 11})
	b.want(ledger.CodeSpendLimitReached, ledger.Settle{Request: asking(ledger.Spender{}), HoldID: hold.ID, Amount: 11})
	b.want("", ledger.Settle{Request: asking(two), HoldID: hold.ID, Amount: 10})
	nobodys := b.want("", ledger.Hold{Request: asking(ledger.Spender{}), Amount: 50, Duration: time.Hour}).Hold
	b.want(ledger.CodeSpendLimitReached, ledger.Settle{Request: asking(ledger.Spender{KeyID: "key2", LimitTokens: 20}), HoldID: nobodys.ID, Amount: 21})
	b.want("", ledger.Settle{Request: asking(ledger.Spender{KeyID: "key2", LimitTokens: 20}), HoldID: nobodys.ID, Amount: 20})
	if one, two := b.spent("key1"), b.spent("key2"); one.Tokens != 10 || two.Tokens != 20 {
		t.Errorf("the keys have spent %+v and %+v", one, two)
	}
}

func TestAHoldThatEndsGivesTheLimitBack(t *testing.T) {
	b := newKeyBench(t)
	key := ledger.Spender{KeyID: "key1", LimitTokens: 10}
	hold := b.want("", ledger.Hold{Request: asking(key), Amount: 10, Duration: time.Minute}).Hold
	b.want("", ledger.Release{Request: asking(ledger.Spender{}), HoldID: hold.ID})
	b.want("", ledger.Hold{Request: asking(key), Amount: 10, Duration: time.Minute})
	b.clock.Advance(2 * time.Minute)
	if err := b.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	b.want("", ledger.Use{Request: asking(key), Amount: 10})
}

func TestBudgetsBeginAnewWithTheDayAndTheMonth(t *testing.T) {
	b := newKeyBench(t)
	b.clock.Advance(time.Date(2026, 11, 29, 23, 59, 0, 0, time.UTC).Sub(b.clock.Now()))
	key := ledger.Spender{KeyID: "key1", DailyBudgetTokens: 10, MonthlyBudgetTokens: 15}
	b.want("", ledger.Use{Request: asking(key), Amount: 10})
	b.want(ledger.CodeSpendLimitReached, ledger.Use{Request: asking(key), Amount: 1})
	b.clock.Advance(2 * time.Minute) // the 30th
	b.want(ledger.CodeSpendLimitReached, ledger.Use{Request: asking(key), Amount: 6})
	b.want("", ledger.Use{Request: asking(key), Amount: 5})
	b.clock.Advance(24 * time.Hour) // December
	b.want("", ledger.Use{Request: asking(key), Amount: 10})
	b.clock.Advance(-24 * time.Hour) // a clock that was set back begins nothing anew
	b.want(ledger.CodeSpendLimitReached, ledger.Use{Request: asking(key), Amount: 1})
}

func TestARefundGivesNoLimitBack(t *testing.T) {
	b := newKeyBench(t)
	key := ledger.Spender{KeyID: "key1", LimitTokens: 10}
	use := b.want("", ledger.Use{Request: asking(key), Amount: 10})
	b.want("", ledger.Refund{Request: asking(ledger.Spender{}), EntryID: use.Entry.ID})
	b.want(ledger.CodeSpendLimitReached, ledger.Use{Request: asking(key), Amount: 1})
}

func TestAKeyExtendsNoOtherKeysHold(t *testing.T) {
	b := newKeyBench(t)
	one, two := ledger.Spender{KeyID: "key1"}, ledger.Spender{KeyID: "key2", LimitTokens: 10}
	others := b.want("", ledger.Hold{Request: asking(one), Amount: 5, Duration: time.Hour}).Hold
	b.want(ledger.CodeHoldNotFound, ledger.Extend{Request: asking(two), HoldID: others.ID, Amount: 1})
	nobodys := b.want("", ledger.Hold{Request: asking(ledger.Spender{}), Amount: 8, Duration: time.Hour}).Hold
	b.want(ledger.CodeSpendLimitReached, ledger.Extend{Request: asking(two), HoldID: nobodys.ID, Amount: 3})
	b.want("", ledger.Extend{Request: asking(two), HoldID: nobodys.ID, Amount: 2})
	if got := b.spent("key2").HeldTokens; got != 10 {
		t.Errorf("the key that extended a hold of nobody reserves %d, want all 10", got)
	}
}

func TestUsesSideBySideNeverPassALimit(t *testing.T) {
	const calls, each, limit = 500, 7, 1000
	b := newKeyBench(t)
	key := ledger.Spender{KeyID: "key1", LimitTokens: limit}
	var group sync.WaitGroup
	for i := range calls {
		group.Go(func() {
			ctx := context.Background()
			if i%2 == 0 {
				_, _ = b.Do(ctx, ledger.Use{Request: asking(key), Amount: each})
				return
			}
			held, err := b.Do(ctx, ledger.Hold{Request: asking(key), Amount: each, Duration: time.Hour})
			if err == nil {
				_, _ = b.Do(ctx, ledger.Settle{Request: asking(key), HoldID: held.Hold.ID, Amount: each})
			}
		})
	}
	group.Wait()
	if got, want := b.spent("key1").Tokens, int64(limit/each*each); got != want {
		t.Errorf("%d calls of %d spent %d, want %d", calls, each, got, want)
	}
}

func TestABatchIsBoundedByItsKey(t *testing.T) {
	b := newKeyBench(t)
	uses := ledger.UseBatch{Request: asking(ledger.Spender{KeyID: "key1", LimitTokens: 10})}
	for range 3 {
		uses.Uses = append(uses.Uses, ledger.Use{Amount: 4})
	}
	results, _, err := b.DoUses(context.Background(), uses)
	if err != nil {
		t.Fatal(err)
	}
	if results[1].Err != nil || ledger.CodeOf(results[2].Err) != ledger.CodeSpendLimitReached || b.spent("key1").Tokens != 8 {
		t.Errorf("got %+v, and the key has spent %+v", results, b.spent("key1"))
	}
}

func TestTheKeyDoesNotChangeWhatARequestIs(t *testing.T) {
	b := newKeyBench(t)
	first, again := asking(ledger.Spender{KeyID: "key1", LimitTokens: 5}), asking(ledger.Spender{KeyID: "key2"})
	first.IdempotencyKey, again.IdempotencyKey = "once", "once"
	b.want("", ledger.Use{Request: first, Amount: 5})
	if receipt := b.want("", ledger.Use{Request: first, Amount: 5}); !receipt.Replayed {
		t.Error("a repetition was bounded like a new use")
	}
	if receipt := b.want("", ledger.Use{Request: again, Amount: 5}); !receipt.Replayed {
		t.Error("another key did the same request again")
	}
}

func TestABadSpenderIsRefused(t *testing.T) {
	b := newKeyBench(t)
	for _, bad := range []ledger.Spender{{KeyID: "k", LimitTokens: -1}, {KeyID: "k", DailyBudgetTokens: -1}, {KeyID: "\xff"}, {KeyID: "k", MonthlyBudgetTokens: 1 << 62}} {
		b.want(ledger.CodeInvalidRequest, ledger.Use{Request: asking(bad), Amount: 1})
	}
}

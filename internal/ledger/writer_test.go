package ledger_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
	"sokuji/internal/ledger/memorystore"
)

// bench is a writer over a store in memory.
type bench struct {
	*ledger.Ledger
	store *memorystore.Memory
	clock *ledgertest.Clock
}

func open(t *testing.T) bench {
	t.Helper()
	store, clock := memorystore.NewMemory(), ledgertest.NewClock()
	store.CreateWallet(alice)
	store.CreateWallet(bob)
	l := ledger.Open(store, ledger.Options{Now: clock.Now, Random: rand.NewChaCha8([32]byte{})})
	t.Cleanup(func() {
		l.Close()
		if err := memorystore.Audit(store.Books()); err != nil {
			t.Errorf("the books do not balance: %v", err)
		}
	})
	return bench{l, store, clock}
}

func (b bench) must(t *testing.T, op ledger.Operation) ledger.Receipt {
	t.Helper()
	receipt, err := b.Do(context.Background(), op)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

func (b bench) refuses(t *testing.T, op ledger.Operation, code ledger.Code) {
	t.Helper()
	before := b.store.Books()
	if _, err := b.Do(context.Background(), op); ledger.CodeOf(err) != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	if after := b.store.Books(); len(after.Entries) != len(before.Entries) || len(after.Requests) != len(before.Requests) ||
		after.Wallets[alice] != before.Wallets[alice] {
		t.Fatal("a refusal changed the books")
	}
}

func by(key string) ledger.Request {
	return ledger.Request{Subject: alice, IdempotencyKey: key, Actor: "superuser:root"}
}

func TestAnUnknownWalletIsRefused(t *testing.T) {
	b := open(t)
	nobody := ledger.Request{Subject: ledger.UserSubject("nobody")}
	b.refuses(t, ledger.Mint{Request: nobody, Amount: 1}, ledger.CodeWalletNotFound)
	if _, err := b.Wallet(context.Background(), nobody.Subject); ledger.CodeOf(err) != ledger.CodeWalletNotFound {
		t.Fatalf("got %v", err)
	}
	b.refuses(t, ledger.Mint{Request: ledger.Request{Subject: ledger.Subject{Type: "robot", ID: "x"}}, Amount: 1}, ledger.CodeInvalidRequest)
	b.refuses(t, ledger.Mint{Request: ledger.Request{}, Amount: 1}, ledger.CodeInvalidRequest)
}

func TestARepeatedKeyAnswersTheFirstResult(t *testing.T) {
	b := open(t)
	first := b.must(t, ledger.Mint{Request: by("k"), Amount: 5})
	b.must(t, ledger.Mint{Request: by(""), Amount: 100})
	b.clock.Advance(1000 * time.Hour)

	again := b.must(t, ledger.Mint{Request: by("k"), Amount: 5})
	if !again.Replayed || first.Replayed || again.Entry.ID != first.Entry.ID || again.Wallet != first.Wallet {
		t.Fatalf("first %+v, again %+v", first, again)
	}
	b.refuses(t, ledger.Mint{Request: by("k"), Amount: 6}, ledger.CodeIdempotencyMismatch)
	b.refuses(t, ledger.Mint{Request: by("k"), Amount: 5, Description: "other"}, ledger.CodeIdempotencyMismatch)

	other := b.must(t, ledger.Use{Request: by("k"), Amount: 5}) // another route
	if other.Replayed {
		t.Fatal("a key of one route answered on another")
	}
	elsewhere := ledger.Mint{Request: ledger.Request{Subject: bob, IdempotencyKey: "k"}, Amount: 7}
	if b.must(t, elsewhere).Replayed {
		t.Fatal("a key of one wallet answered on another")
	}
	if len(b.store.Books().Entries) != 4 {
		t.Fatalf("%d entries", len(b.store.Books().Entries))
	}
}

func TestEveryOperationCanBeRepeated(t *testing.T) {
	b := open(t)
	minted := b.must(t, ledger.Mint{Request: by("0"), Amount: 50})
	for name, op := range map[string]ledger.Operation{
		"mint":     ledger.Mint{Request: by("1"), Amount: 5},
		"use":      ledger.Use{Request: by("1"), Amount: 5, Usage: ledger.Usage{Model: "m"}},
		"refund":   ledger.Refund{Request: by("1"), EntryID: minted.Entry.ID, Amount: 5},
		"adjust":   ledger.Adjust{Request: by("1"), Amount: -5, Description: "why"},
		"unfreeze": ledger.Unfreeze{Request: by("1"), Reason: "why"},
	} {
		first, again := b.must(t, op), b.must(t, op)
		if !again.Replayed || first.Wallet != again.Wallet || first.Refundable != again.Refundable ||
			(first.Entry == nil) != (again.Entry == nil) || (first.Usage == nil) != (again.Usage == nil) {
			t.Errorf("%s: first %+v, again %+v", name, first, again)
		}
	}
	freeze := ledger.Freeze{Request: by("1"), Reason: "why"}
	b.must(t, freeze)
	b.must(t, ledger.Unfreeze{Request: by("2"), Reason: "why"})
	if again := b.must(t, freeze); !again.Replayed || !again.Wallet.Frozen {
		t.Errorf("freeze: %+v", again)
	}
	if wallet, _ := b.Wallet(context.Background(), alice); wallet.Frozen {
		t.Error("a repeated freeze froze again")
	}
}

func TestOnlySuccessesAreRemembered(t *testing.T) {
	b := open(t)
	use := ledger.Use{Request: by("k"), Amount: 5}
	b.refuses(t, use, ledger.CodeInsufficientBalance)
	b.must(t, ledger.Mint{Request: by(""), Amount: 5})
	if b.must(t, use).Replayed {
		t.Fatal("a refusal was remembered")
	}
}

func TestAnExternalEventHappensOnceOverAllWallets(t *testing.T) {
	b := open(t)
	mint := ledger.Mint{Request: by(""), Amount: 5, ExternalEventID: "evt_1"}
	first := b.must(t, mint)
	b.must(t, ledger.Mint{Request: by(""), Amount: 1})
	again := b.must(t, mint)
	if !again.Replayed || again.Entry.ID != first.Entry.ID || again.Wallet.Balance != 5 {
		t.Fatalf("got %+v", again)
	}
	mint.Request = by("a new key does not help")
	if !b.must(t, mint).Replayed {
		t.Fatal("the event happened twice")
	}
	b.refuses(t, ledger.Mint{Request: mint.Request, Amount: 9}, ledger.CodeIdempotencyMismatch) // the key is used now
	mint.Amount = 6
	b.refuses(t, mint, ledger.CodeIdempotencyMismatch)
	b.refuses(t, ledger.Mint{Request: ledger.Request{Subject: bob}, Amount: 5, ExternalEventID: "evt_1"}, ledger.CodeIdempotencyMismatch)
}

func TestAMintByPlanIsTheSameWhateverThePlanHasBecome(t *testing.T) {
	b := open(t)
	mint := func(request ledger.Request, tokens, paid int64) ledger.Mint {
		return ledger.Mint{
			Request: request, Amount: tokens, PlanID: "pro_plan", ByPlan: true, PaidCents: paid, ExternalEventID: "evt_" + request.IdempotencyKey,
			Plan: &ledger.PlanChange{PlanID: "pro_plan"}, Metadata: ledger.PlanPayment(paid, tokens%7),
		}
	}
	first := b.must(t, mint(by("k"), 100, 500))
	if again := b.must(t, mint(by("k"), 90, 500)); !again.Replayed || again.Entry.ID != first.Entry.ID {
		t.Fatalf("by key: %+v", again)
	}
	b.refuses(t, mint(by("k"), 100, 501), ledger.CodeIdempotencyMismatch)

	byEvent := mint(by("k"), 80, 500)
	byEvent.IdempotencyKey = ""
	if again := b.must(t, byEvent); !again.Replayed || again.Entry.ID != first.Entry.ID {
		t.Fatalf("by event: %+v", again)
	}
	byEvent.PaidCents = 501
	b.refuses(t, byEvent, ledger.CodeIdempotencyMismatch)
	if ledger.UnusedCents(*first.Entry) != 100%7 {
		t.Fatalf("unused cents: %d", ledger.UnusedCents(*first.Entry))
	}
}

func TestAPricedUseIsTheSameWhateverThePriceHasBecome(t *testing.T) {
	b := open(t)
	b.must(t, ledger.Mint{Request: by(""), Amount: 100})
	use := ledger.Use{Request: by("k"), Amount: 10, ByPrice: true, Usage: ledger.Usage{Model: "m", InputTokens: 3, PriceID: "old"}}
	b.must(t, use)
	use.Amount, use.Usage.PriceID = 20, "new"
	if again := b.must(t, use); !again.Replayed || again.Entry.Amount != -10 {
		t.Fatalf("got %+v", again)
	}
	use.Usage.InputTokens = 4
	b.refuses(t, use, ledger.CodeIdempotencyMismatch)
}

// What can no longer be done is still answered when it was done before.
func TestARefusedOperationIsRepeatedNotDone(t *testing.T) {
	b := open(t)
	mint := ledger.Mint{Request: by("k"), Amount: 5, PlanID: "pro_plan", ByPlan: true, PaidCents: 500, ExternalEventID: "e", Metadata: ledger.PlanPayment(500, 0)}
	first := b.must(t, mint)
	gone := mint
	gone.Amount, gone.Refusal = 0, ledger.Invalid("planId", "the plan is gone")
	if again := b.must(t, gone); !again.Replayed || again.Entry.ID != first.Entry.ID {
		t.Fatalf("by key: %+v", again)
	}
	gone.IdempotencyKey = ""
	if again := b.must(t, gone); !again.Replayed || again.Entry.ID != first.Entry.ID {
		t.Fatalf("by event: %+v", again)
	}
	gone.ExternalEventID = "another"
	b.refuses(t, gone, ledger.CodeInvalidRequest)
	gone.ExternalEventID = ""
	b.refuses(t, gone, ledger.CodeInvalidRequest)
	gone.Request = ledger.Request{Subject: alice, IdempotencyKey: "another", Refusal: gone.Refusal}
	b.refuses(t, gone, ledger.CodeInvalidRequest)
}

func TestRefundsNeverExceedTheOriginal(t *testing.T) {
	b := open(t)
	minted := b.must(t, ledger.Mint{Request: by(""), Amount: 100})
	var wg sync.WaitGroup
	var done atomic.Int64
	for range 50 {
		wg.Go(func() {
			if _, err := b.Do(context.Background(), ledger.Refund{Request: by(""), EntryID: minted.Entry.ID, Amount: 7}); err == nil {
				done.Add(1)
			} else if ledger.CodeOf(err) != ledger.CodeOverRefund {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	if done.Load() != 14 { // 14 × 7 = 98
		t.Fatalf("%d refunds of 7 went through on 100", done.Load())
	}
}

func TestConcurrentUsesNeverOverdraw(t *testing.T) {
	b := open(t)
	b.must(t, ledger.Mint{Request: by(""), Amount: 100})
	var wg sync.WaitGroup
	var done atomic.Int64
	for range 400 {
		wg.Go(func() {
			_, err := b.Do(context.Background(), ledger.Use{Request: by(""), Amount: 1})
			if err == nil {
				done.Add(1)
			} else if ledger.CodeOf(err) != ledger.CodeInsufficientBalance {
				t.Errorf("got %v", err)
			}
		})
	}
	wg.Wait()
	wallet, err := b.Wallet(context.Background(), alice)
	if done.Load() != 100 || wallet.Balance != 0 || err != nil {
		t.Fatalf("%d uses went through, %d are left (%v)", done.Load(), wallet.Balance, err)
	}
}

// Operations that arrive while a batch is being stored share the next one, and
// repeat or refuse each other inside it.
func TestABatchSeesItsOwnEffects(t *testing.T) {
	b := open(t)
	gate := newGate()
	b.store.Fail = gate.hold
	first := start(context.Background(), b, ledger.Mint{Request: by(""), Amount: 1})
	gate.wait(t)

	calls := []*call{
		queue(context.Background(), t, b, ledger.Mint{Request: by("k"), Amount: 5}),
		queue(context.Background(), t, b, ledger.Mint{Request: by("k"), Amount: 5}),
		queue(context.Background(), t, b, ledger.Mint{Request: by("k"), Amount: 6}),
		queue(context.Background(), t, b, ledger.Mint{Request: by(""), Amount: 5, ExternalEventID: "e"}),
		queue(context.Background(), t, b, ledger.Mint{Request: by(""), Amount: 5, ExternalEventID: "e"}),
		queue(context.Background(), t, b, ledger.Mint{Request: by(""), Amount: 6, ExternalEventID: "e"}),
		queue(context.Background(), t, b, ledger.Use{Request: by(""), Amount: 11}),
		queue(context.Background(), t, b, ledger.Use{Request: by(""), Amount: 1}),
	}
	gate.open()
	first.result(t)
	results := make([]string, 0, len(calls))
	for _, c := range calls {
		receipt, err := c.wait()
		switch {
		case err != nil:
			results = append(results, string(ledger.CodeOf(err)))
		case receipt.Replayed:
			results = append(results, "replayed")
		default:
			results = append(results, "done")
		}
	}
	want := []string{"done", "replayed", "idempotency_mismatch", "done", "replayed", "idempotency_mismatch", "done", "insufficient_balance"}
	for i := range want {
		if results[i] != want[i] {
			t.Fatalf("got %v, want %v", results, want)
		}
	}
	if gate.commits.Load() != 2 {
		t.Fatalf("%d commits for 9 operations, want 2", gate.commits.Load())
	}
}

func TestAFailedCommitAnswersEverybodyAndForgetsNothing(t *testing.T) {
	for _, step := range []string{"begin", "write", "commit"} {
		t.Run(step, func(t *testing.T) {
			b := open(t)
			b.must(t, ledger.Mint{Request: by(""), Amount: 10})
			b.store.Fail = func(s string) error {
				if s == step {
					return errors.New("the disk is full")
				}
				return nil
			}
			for range 3 {
				_, err := b.Do(context.Background(), ledger.Use{Request: by("k"), Amount: 4})
				if ledger.CodeOf(err) != ledger.CodeOverloaded {
					t.Fatalf("got %v", err)
				}
				wallet, err := b.Wallet(context.Background(), alice)
				if err != nil || wallet.Balance != 10 {
					t.Fatalf("the wallet shows %d (%v), 10 are on disk", wallet.Balance, err)
				}
			}
			b.store.Fail = nil
			if receipt := b.must(t, ledger.Use{Request: by("k"), Amount: 4}); receipt.Replayed || receipt.Wallet.Balance != 6 {
				t.Fatalf("got %+v", receipt)
			}
		})
	}
}

// A row that breaks a constraint costs its neighbours nothing.
func TestAConflictFailsOnlyTheCulprit(t *testing.T) {
	b := open(t)
	gate := newGate()
	gate.write = func() error {
		if gate.writes.Add(1) == 2 { // the batch of both; alone, each goes through
			return ledger.ErrConflict
		}
		return nil
	}
	b.store.Fail = gate.hold
	first := start(context.Background(), b, ledger.Mint{Request: by(""), Amount: 1})
	gate.wait(t)
	one, two := queue(context.Background(), t, b, ledger.Mint{Request: by(""), Amount: 2}), queue(context.Background(), t, b, ledger.Mint{Request: by(""), Amount: 3})
	gate.open()
	first.result(t)
	if one.result(t).Wallet.Balance != 3 || two.result(t).Wallet.Balance != 6 {
		t.Fatal("the neighbours were not stored one by one")
	}
}

// A wallet whose row cannot be read fails its own operations and no others.
func TestAnUnreadableWalletFailsAlone(t *testing.T) {
	b := open(t)
	b.store.Unreadable = bob
	gate := newGate()
	b.store.Fail = gate.hold
	first := start(context.Background(), b, ledger.Mint{Request: by(""), Amount: 1})
	gate.wait(t)
	before := queue(context.Background(), t, b, ledger.Mint{Request: by(""), Amount: 2})
	broken := queue(context.Background(), t, b, ledger.Mint{Request: ledger.Request{Subject: bob}, Amount: 9})
	after := queue(context.Background(), t, b, ledger.Mint{Request: by(""), Amount: 3})
	gate.open()
	first.result(t)
	if before.result(t).Wallet.Balance != 3 || after.result(t).Wallet.Balance != 6 {
		t.Fatal("the neighbours were not stored")
	}
	if _, err := broken.wait(); ledger.CodeOf(err) != ledger.CodeOverloaded {
		t.Fatalf("got %v", err)
	}
}

func TestAFullQueueRefuses(t *testing.T) {
	b := open(t)
	gate := newGate()
	b.store.Fail = gate.hold
	first := start(context.Background(), b, ledger.Mint{Request: by(""), Amount: 1})
	gate.wait(t)
	const queued = 4096
	calls := make([]*call, 0, queued)
	for range queued {
		calls = append(calls, queue(context.Background(), t, b, ledger.Mint{Request: by(""), Amount: 1}))
	}
	if _, err := b.Do(context.Background(), ledger.Mint{Request: by(""), Amount: 1}); ledger.CodeOf(err) != ledger.CodeOverloaded {
		t.Fatalf("got %v", err)
	}
	gate.open()
	first.result(t)
	for _, c := range calls {
		c.result(t)
	}
	if got := b.store.Books().Wallets[alice].Balance; got != queued+1 {
		t.Fatalf("got %d", got)
	}
}

func TestCallersWhoLeftGetNothing(t *testing.T) {
	b := open(t)
	gate := newGate()
	b.store.Fail = gate.hold
	first := start(context.Background(), b, ledger.Mint{Request: by(""), Amount: 1})
	gate.wait(t)
	ctx, leave := context.WithCancel(context.Background())
	gone := queue(ctx, t, b, ledger.Mint{Request: by(""), Amount: 2})
	leave()
	gate.open()
	first.result(t)
	if _, err := gone.wait(); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if got := b.store.Books().Wallets[alice].Balance; got != 1 {
		t.Fatalf("got %d", got)
	}
}

func TestCloseFinishesWhatWaits(t *testing.T) {
	b := open(t)
	gate := newGate()
	b.store.Fail = gate.hold
	first := start(context.Background(), b, ledger.Mint{Request: by(""), Amount: 1})
	gate.wait(t)
	calls := []*call{queue(context.Background(), t, b, ledger.Mint{Request: by(""), Amount: 2}), queue(context.Background(), t, b, ledger.Mint{Request: by(""), Amount: 3})}
	closed := make(chan struct{})
	go func() { b.Close(); close(closed) }()
	gate.open()
	first.result(t)
	for _, c := range calls {
		c.result(t)
	}
	<-closed
	if _, err := b.Do(context.Background(), ledger.Mint{Request: by(""), Amount: 1}); ledger.CodeOf(err) != ledger.CodeOverloaded {
		t.Fatalf("got %v", err)
	}
	b.Close() // twice is fine
}

func TestReadersSeeACommittedWalletAtOnce(t *testing.T) {
	b := open(t)
	for i := int64(1); i <= 200; i++ {
		b.must(t, ledger.Mint{Request: by(""), Amount: 1})
		if wallet, err := b.Wallet(context.Background(), alice); err != nil || wallet.Balance != i {
			t.Fatalf("after mint %d the wallet shows %d (%v)", i, wallet.Balance, err)
		}
	}
}

func TestOnCommitHearsOfChangesOnly(t *testing.T) {
	store := memorystore.NewMemory()
	store.CreateWallet(alice)
	var heard []int64
	l := ledger.Open(store, ledger.Options{
		Now: ledgertest.NewClock().Now, Random: rand.NewChaCha8([32]byte{}),
		OnCommit: func(wallets []ledger.Wallet) { heard = append(heard, wallets[0].Balance) },
	})
	ctx := context.Background()
	for _, op := range []ledger.Operation{
		ledger.Mint{Request: by("k"), Amount: 5}, ledger.Mint{Request: by("k"), Amount: 5}, ledger.Use{Request: by(""), Amount: 6},
	} {
		_, _ = l.Do(ctx, op)
	}
	l.Close()
	if len(heard) != 1 || heard[0] != 5 {
		t.Fatalf("heard %v", heard)
	}
}

package ledger_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"sokuji/internal/ledger"
)

// mintUntil mints tokens that expire after a while.
func (b bench) mintUntil(t *testing.T, amount int64, life time.Duration) ledger.Receipt {
	t.Helper()
	return b.must(t, ledger.Mint{Request: by(""), Amount: amount, ExpiresAt: b.clock.Now().Add(life)})
}

// use takes tokens, below zero if it must.
func (b bench) use(t *testing.T, amount int64) ledger.Receipt {
	t.Helper()
	return b.must(t, ledger.Use{Request: by(""), Amount: amount, AllowNegative: true})
}

// expiries lists what was taken back of a grant, in the order of seq.
func (b bench) expiries(id string) []int64 {
	bySeq := map[int64]int64{}
	for _, entry := range b.store.Books().Entries {
		if entry.EventType == ledger.EventAdjust && entry.ReferenceType == ledger.ReferenceGrant && entry.ReferenceID == id {
			bySeq[entry.Seq] = entry.Amount
		}
	}
	var amounts []int64
	for seq := range b.store.Books().Wallets[alice].Seq + 1 {
		if amount, there := bySeq[seq]; there {
			amounts = append(amounts, amount)
		}
	}
	return amounts
}

func (b bench) expired(t *testing.T, id string, want ...int64) {
	t.Helper()
	if got := b.expiries(id); !reflect.DeepEqual(got, want) {
		t.Fatalf("the expiry took %v, want %v", got, want)
	}
}

func TestWhatIsLeftOfAGrantExpiresOnce(t *testing.T) {
	b := openQuiet(t)
	id := b.mintUntil(t, 10, time.Hour).Entry.ID
	b.mint(t, 5)
	b.use(t, 3)
	b.clock.Advance(time.Hour - time.Millisecond)
	b.sweep(t)
	b.wants(t, 12, 0, 7)
	b.clock.Advance(time.Millisecond)
	for range 3 {
		b.sweep(t)
		b.wants(t, 5, 0, 0)
		b.expired(t, id, -7)
		b.clock.Advance(time.Hour)
		b = b.restart(t)
	}
	if grant := b.store.Books().Grants[id]; grant.State != ledger.GrantExpired || grant.Expired != 7 {
		t.Fatalf("the grant is %+v", grant)
	}
}

// A grant that was used up closes without an entry.
func TestAUsedUpGrantExpiresQuietly(t *testing.T) {
	b := openQuiet(t)
	id := b.mintUntil(t, 10, time.Hour).Entry.ID
	b.use(t, 10)
	b.clock.Advance(time.Hour)
	b.sweep(t)
	b.expired(t, id)
	if grant := b.store.Books().Grants[id]; grant.State != ledger.GrantExpired {
		t.Fatalf("the grant is %+v", grant)
	}
}

// Every operation first takes back what is over, so nothing depends on sweeps.
func TestOperationsDoNotWaitForASweep(t *testing.T) {
	for name, op := range map[string]ledger.Operation{
		"mint":     ledger.Mint{Request: by(""), Amount: 1},
		"use":      ledger.Use{Request: by(""), Amount: 1},
		"adjust":   ledger.Adjust{Request: by(""), Amount: -1, Description: "why"},
		"hold":     ledger.Hold{Request: by(""), Amount: 1, Duration: time.Minute},
		"freeze":   ledger.Freeze{Request: by(""), Reason: "why"},
		"unfreeze": ledger.Unfreeze{Request: by(""), Reason: "why"},
	} {
		t.Run(name, func(t *testing.T) {
			var balances []int64
			for _, swept := range []bool{true, false} {
				b := openQuiet(t)
				b.mint(t, 5)
				id := b.mintUntil(t, 10, time.Hour).Entry.ID
				b.clock.Advance(time.Hour)
				if swept {
					b.sweep(t)
				}
				balances = append(balances, b.must(t, op).Wallet.Balance)
				b.expired(t, id, -10)
			}
			if balances[0] != balances[1] {
				t.Fatalf("after a sweep %d, without one %d", balances[0], balances[1])
			}
		})
	}
}

// A hold past its deadline keeps nothing, also before a sweep has closed it.
func TestAnOverdueHoldKeepsNothing(t *testing.T) {
	for name, op := range map[string]func(hold string) ledger.Operation{
		"use": func(string) ledger.Operation { return ledger.Use{Request: by(""), Amount: 5, AllowNegative: true} },
		"settle": func(hold string) ledger.Operation {
			return ledger.Settle{Request: as(ledger.AsGateway, by("")), HoldID: hold, Amount: 5}
		},
	} {
		for _, swept := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, swept %t", name, swept), func(t *testing.T) {
				b := openQuiet(t)
				id := b.mintUntil(t, 10, time.Hour).Entry.ID
				hold := b.hold(t, 10, 2*time.Hour)
				b.clock.Advance(2 * time.Hour)
				if swept {
					b.sweep(t)
				}
				b.must(t, op(hold))
				b.sweep(t)
				b.expired(t, id, -10)
				b.wants(t, -5, 0, 0)
			})
		}
	}
}

// What is over cannot be spent, and a refusal says so after taking it back.
func TestExpiredTokensAreNotThereToBeUsed(t *testing.T) {
	b := openQuiet(t)
	id := b.mintUntil(t, 10, time.Hour).Entry.ID
	b.clock.Advance(time.Hour)
	_, err := b.Do(context.Background(), ledger.Use{Request: by(""), Amount: 1})
	if ledger.CodeOf(err) != ledger.CodeInsufficientBalance {
		t.Fatalf("got %v", err)
	}
	b.expired(t, id, -10)
	b.wants(t, 0, 0, 0)
}

// A repeat is an answer from the past: it takes nothing back.
func TestARepeatExpiresNothing(t *testing.T) {
	b := openQuiet(t)
	mint := ledger.Mint{Request: by("k"), Amount: 10, ExpiresAt: b.clock.Now().Add(time.Hour)}
	b.must(t, mint)
	b.clock.Advance(2 * time.Hour)
	before := b.store.Books()
	if again := b.must(t, mint); !again.Replayed || again.Wallet.Balance != 10 {
		t.Fatalf("got %+v", again)
	}
	if !reflect.DeepEqual(before, b.store.Books()) {
		t.Fatal("a repeat changed the books")
	}
}

func TestTheSoonestGrantIsUsedFirst(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 10)
	later := b.mintUntil(t, 10, 2*time.Hour).Entry.ID
	soon := b.mintUntil(t, 10, time.Hour).Entry.ID
	b.use(t, 12)
	b.clock.Advance(2 * time.Hour)
	b.sweep(t)
	b.expired(t, soon)
	b.expired(t, later, -8)
	b.wants(t, 10, 0, 0)
}

func TestAHoldKeepsTokensFromBeforeTheirExpiry(t *testing.T) {
	for name, test := range map[string]struct {
		close  func(b bench, t *testing.T, hold string)
		after  int64 // the balance
		pieces []int64
	}{
		"settled in full": {func(b bench, t *testing.T, hold string) {
			b.must(t, ledger.Settle{Request: by(""), HoldID: hold, Amount: 6})
		}, 20, []int64{-4}},
		"settled in part": {func(b bench, t *testing.T, hold string) {
			b.must(t, ledger.Settle{Request: by(""), HoldID: hold, Amount: 5})
		}, 20, []int64{-4, -1}},
		"settled beyond": {func(b bench, t *testing.T, hold string) {
			b.must(t, ledger.Settle{Request: by(""), HoldID: hold, Amount: 9})
		}, 17, []int64{-4}},
		"released": {func(b bench, t *testing.T, hold string) { b.must(t, ledger.Release{Request: by(""), HoldID: hold}) }, 20, []int64{-4, -6}},
		"expired":  {func(b bench, t *testing.T, _ string) { b.clock.Advance(2 * time.Hour); b.sweep(t) }, 20, []int64{-4, -6}},
	} {
		t.Run(name, func(t *testing.T) {
			b := openQuiet(t)
			b.mint(t, 20)
			id := b.mintUntil(t, 10, time.Hour).Entry.ID
			hold := b.hold(t, 6, 2*time.Hour)
			b.clock.Advance(time.Hour)
			for range 2 {
				b.sweep(t)
				b.expired(t, id, -4)
				b.wants(t, 26, 6, 6)
			}
			test.close(b, t, hold)
			b.expired(t, id, test.pieces...)
			b.wants(t, test.after, 0, 0)
		})
	}
}

// A hold reserves the tokens that expire soonest, of one grant after the other.
func TestAHoldKeepsTheSoonestOfManyGrants(t *testing.T) {
	b := openQuiet(t)
	later, soon := b.mintUntil(t, 10, 2*time.Hour).Entry.ID, b.mintUntil(t, 4, time.Hour).Entry.ID
	hold := b.hold(t, 6, 3*time.Hour)
	b.clock.Advance(time.Hour)
	b.sweep(t)
	b.expired(t, soon)
	b.clock.Advance(time.Hour)
	b.sweep(t)
	b.expired(t, soon)
	b.expired(t, later, -8)
	b.wants(t, 6, 6, 6)
	b.must(t, ledger.Settle{Request: by(""), HoldID: hold, Amount: 5})
	b.expired(t, soon)
	b.expired(t, later, -8, -1)
	b.wants(t, 0, 0, 0)
}

// Otherwise steady traffic would keep tokens alive for ever.
func TestALaterHoldKeepsNothing(t *testing.T) {
	for name, late := range map[string]time.Duration{"at the expiry": 0, "after it": time.Minute} {
		t.Run(name, func(t *testing.T) {
			b := openQuiet(t)
			b.mint(t, 20)
			id := b.mintUntil(t, 10, time.Hour).Entry.ID
			first := b.hold(t, 6, 2*time.Hour)
			b.clock.Advance(time.Hour + late)
			b.hold(t, 6, 3*time.Hour)
			b.must(t, ledger.Extend{Request: by(""), HoldID: first, Duration: 5 * time.Hour})
			b.expired(t, id, -4)
			b.must(t, ledger.Release{Request: by(""), HoldID: first})
			b.expired(t, id, -4, -6)
			b.wants(t, 20, 6, 0)
		})
	}
}

func TestPlainUsesTakeKeptTokensLast(t *testing.T) {
	b := openQuiet(t)
	id := b.mintUntil(t, 10, time.Hour).Entry.ID
	b.mint(t, 20)
	hold := b.hold(t, 6, 2*time.Hour)
	b.clock.Advance(time.Hour)
	b.must(t, ledger.Use{Request: by(""), Amount: 20}) // all that is available
	b.wants(t, 6, 6, 6)
	b.expired(t, id, -4)
	b.use(t, 2) // into what is held: there are no others
	b.wants(t, 4, 6, 4)
	b.must(t, ledger.Settle{Request: by(""), HoldID: hold, Amount: 6})
	b.wants(t, -2, 0, 0)
	b.expired(t, id, -4)
}

// What expired of a mint is gone and cannot be taken back a second time.
func TestAnExpiredMintIsRefundedWithoutWhatExpired(t *testing.T) {
	b := openQuiet(t)
	mint := b.mintUntil(t, 10, time.Hour).Entry.ID
	b.mint(t, 50)
	b.use(t, 3)
	b.clock.Advance(time.Hour)
	b.sweep(t)
	b.refuses(t, ledger.Refund{Request: by(""), EntryID: mint, Amount: 4}, ledger.CodeOverRefund)
	part := b.must(t, ledger.Refund{Request: by(""), EntryID: mint, Amount: 1})
	if part.Refundable != 2 || part.Entry.Amount != -1 {
		t.Fatalf("got %+v", part)
	}
	rest := b.must(t, ledger.Refund{Request: by(""), EntryID: mint})
	if rest.Refundable != 0 || rest.Entry.Amount != -2 {
		t.Fatalf("got %+v", rest)
	}
	b.refuses(t, ledger.Refund{Request: by(""), EntryID: mint}, ledger.CodeOverRefund)
	b.wants(t, 47, 0, 0)
}

// What was reversed of a mint was taken from other tokens. A use that is refunded
// after it must not give the mint tokens to expire: they would be taken twice.
func TestAReversedMintTakesNoTokensBack(t *testing.T) {
	b := openQuiet(t)
	mint := b.mintUntil(t, 100, time.Hour).Entry.ID
	use := b.use(t, 100).Entry.ID
	b.must(t, ledger.Refund{Request: by(""), EntryID: mint})
	b.mint(t, 200)
	b.must(t, ledger.Refund{Request: by(""), EntryID: use})
	b.wants(t, 200, 0, 0)
	b.clock.Advance(time.Hour)
	b.sweep(t)
	b.expired(t, mint)
	for _, amount := range []int64{0, 1} {
		b.refuses(t, ledger.Refund{Request: by(""), EntryID: mint, Amount: amount}, ledger.CodeOverRefund)
	}
	b.wants(t, 200, 0, 0)
}

// Of a mint that was reversed in part, the rest lives on, and no more of it.
func TestAPartlyReversedMintTakesTheRestBack(t *testing.T) {
	b := openQuiet(t)
	mint := b.mintUntil(t, 10, time.Hour).Entry.ID
	b.mint(t, 50)
	use := b.use(t, 8).Entry.ID
	b.must(t, ledger.Refund{Request: by(""), EntryID: mint, Amount: 7}) // 2 of its own, 5 of the others
	b.must(t, ledger.Refund{Request: by(""), EntryID: use})
	b.wants(t, 53, 0, 3)
	if left := b.must(t, ledger.Refund{Request: by(""), EntryID: mint, Amount: 1}).Refundable; left != 2 {
		t.Fatalf("%d tokens may still be refunded, want 2", left)
	}
	b.clock.Advance(time.Hour)
	b.sweep(t)
	b.expired(t, mint, -2)
	b.refuses(t, ledger.Refund{Request: by(""), EntryID: mint}, ledger.CodeOverRefund)
	b.wants(t, 50, 0, 0)
}

// The reversal of a mint and the refund of a use know of each other in one
// transaction, too.
func TestAReversalInTheSameBatchCounts(t *testing.T) {
	b := openQuiet(t)
	mint := b.mintUntil(t, 10, time.Hour).Entry.ID
	b.mint(t, 50)
	use := b.use(t, 10).Entry.ID
	gate := newGate()
	b.store.Fail = gate.hold
	first := start(context.Background(), b, ledger.Mint{Request: by(""), Amount: 1})
	gate.wait(t)
	calls := []*call{
		queue(context.Background(), t, b, ledger.Refund{Request: by(""), EntryID: mint, Amount: 6}),
		queue(context.Background(), t, b, ledger.Refund{Request: by(""), EntryID: use}),
	}
	gate.open()
	for _, call := range append(calls, first) {
		call.result(t)
	}
	b.wants(t, 55, 0, 4)
}

func TestReversingAMintTakesItsOwnGrantFirst(t *testing.T) {
	b := openQuiet(t)
	soon, later := b.mintUntil(t, 10, time.Hour).Entry.ID, b.mintUntil(t, 10, 2*time.Hour).Entry.ID
	b.mint(t, 5)
	b.must(t, ledger.Refund{Request: by(""), EntryID: later, Amount: 4})
	b.wants(t, 21, 0, 16)
	b.use(t, 12) // 10 of soon, 2 of later: 4 of later and 5 undated are left
	b.must(t, ledger.Refund{Request: by(""), EntryID: soon, Amount: 7})
	b.wants(t, 2, 0, 2) // no more of soon, then 5 undated, then 2 of later
}

func TestRefundingAUseGivesBackWhatItTook(t *testing.T) {
	b := openQuiet(t)
	soon, later := b.mintUntil(t, 10, time.Hour).Entry.ID, b.mintUntil(t, 10, 2*time.Hour).Entry.ID
	b.mint(t, 10)
	use := b.use(t, 25).Entry.ID
	b.wants(t, 5, 0, 0)
	b.must(t, ledger.Refund{Request: by(""), EntryID: use, Amount: 4})
	b.wants(t, 9, 0, 4)
	b.clock.Advance(time.Hour)
	b.sweep(t)
	b.expired(t, soon, -4)
	b.must(t, ledger.Refund{Request: by(""), EntryID: use, Amount: 12}) // soon is dead: 10 to later, 2 undated
	b.wants(t, 17, 0, 10)
	b.must(t, ledger.Refund{Request: by(""), EntryID: use})
	b.wants(t, 26, 0, 10) // never more than was taken
	b.clock.Advance(time.Hour)
	b.sweep(t)
	b.expired(t, later, -10)
	b.wants(t, 16, 0, 0)
}

// The refunds of one transaction know of each other, also when the grant has room
// for more than the use took from it.
func TestRefundsInOneBatchGiveBackOnce(t *testing.T) {
	b := openQuiet(t)
	b.mintUntil(t, 22, time.Hour)
	b.mint(t, 10)
	b.use(t, 12)
	use := b.use(t, 15).Entry.ID // 10 of the grant
	gate := newGate()
	b.store.Fail = gate.hold
	first := start(context.Background(), b, ledger.Mint{Request: by(""), Amount: 1})
	gate.wait(t)
	refund := ledger.Refund{Request: by(""), EntryID: use, Amount: 6}
	calls := []*call{queue(context.Background(), t, b, refund), queue(context.Background(), t, b, refund), queue(context.Background(), t, b, refund)}
	gate.open()
	first.result(t)
	if one, two := calls[0].result(t), calls[1].result(t); one.Refundable != 9 || two.Refundable != 3 {
		t.Fatalf("got %+v and %+v", one, two)
	}
	if _, err := calls[2].wait(); ledger.CodeOf(err) != ledger.CodeOverRefund {
		t.Fatalf("got %v", err)
	}
	b.wants(t, 18, 0, 10)
}

// A grant that others took from too has room for more than this use took from it.
func TestRefundsInOneBatchGiveNoMoreToAGrantThanWasTaken(t *testing.T) {
	b := openQuiet(t)
	b.mintUntil(t, 10, time.Hour)
	b.mint(t, 5)
	b.use(t, 5)
	use := b.use(t, 10).Entry.ID // 5 of the grant, 5 without an expiry
	gate := newGate()
	b.store.Fail = gate.hold
	first := start(context.Background(), b, ledger.Mint{Request: by(""), Amount: 1})
	gate.wait(t)
	refund := ledger.Refund{Request: by(""), EntryID: use, Amount: 5}
	one, two := queue(context.Background(), t, b, refund), queue(context.Background(), t, b, refund)
	gate.open()
	first.result(t)
	one.result(t)
	two.result(t)
	b.wants(t, 11, 0, 5)
}

func TestADebtIsPaidBeforeAGrant(t *testing.T) {
	b := openQuiet(t)
	b.use(t, 5)
	id := b.mintUntil(t, 8, time.Hour).Entry.ID
	b.wants(t, 3, 0, 3)
	b.use(t, 10)
	b.wants(t, -7, 0, 0)
	b.clock.Advance(time.Hour)
	b.sweep(t)
	b.expired(t, id)
	b.wants(t, -7, 0, 0)
}

func TestGrantsExpireByTheTimer(t *testing.T) {
	quiet := openQuiet(t)
	id := quiet.mintUntil(t, 10, time.Minute).Entry.ID
	quiet.Close()
	b := reopen(t, quiet.store, quiet.clock, time.Millisecond)
	b.clock.Advance(time.Minute)
	eventually(t, func() bool { return b.store.Books().Grants[id].State == ledger.GrantExpired })
	b.expired(t, id, -10)
	b.wants(t, 0, 0, 0)
}

// Grants that holds keep alive stay due. They must not hide those behind them.
func TestKeptGrantsDoNotHideOthers(t *testing.T) {
	const kept = 300 // more than a sweep reads at once
	b := openQuiet(t)
	for range kept {
		b.mintUntil(t, 1, time.Hour)
	}
	b.hold(t, kept, 3*time.Hour)
	other := b.must(t, ledger.Mint{Request: ledger.Request{Subject: bob}, Amount: 9, ExpiresAt: b.clock.Now().Add(2 * time.Hour)})
	b.clock.Advance(2 * time.Hour)
	b.sweep(t)
	b.wants(t, kept, kept, kept)
	if grant := b.store.Books().Grants[other.Entry.ID]; grant.State != ledger.GrantExpired || grant.Expired != 9 {
		t.Fatalf("the grant is %+v", grant)
	}
}

func TestAWalletHasSoManyGrantsAndNoMore(t *testing.T) {
	b := openQuiet(t)
	for range ledger.MaxLiveGrants {
		b.mintUntil(t, 1, time.Hour)
	}
	one := ledger.Mint{Request: by(""), Amount: 1, ExpiresAt: b.clock.Now().Add(time.Hour)}
	b.refuses(t, one, ledger.CodeInvalidRequest)
	b.mint(t, 1) // without an expiry there is always room
	b.use(t, 1)
	b.must(t, one)
}

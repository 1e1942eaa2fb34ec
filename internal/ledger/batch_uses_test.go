package ledger_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sokuji/internal/ledger"
)

// uses makes a batch for alice with one use an amount, each with its own key if
// keys are given.
func uses(key string, keys []string, amounts ...int64) ledger.UseBatch {
	batch := ledger.UseBatch{Request: by(key)}
	for i, amount := range amounts {
		use := ledger.Use{Amount: amount, Usage: ledger.Usage{Model: "m"}}
		if keys != nil {
			use.IdempotencyKey = keys[i]
		}
		batch.Uses = append(batch.Uses, use)
	}
	return batch
}

// outcomes says what became of each use, in a word.
func outcomes(results []ledger.Result) string {
	words := make([]string, 0, len(results))
	for _, result := range results {
		switch {
		case result.Err != nil:
			words = append(words, string(ledger.CodeOf(result.Err)))
		case result.Receipt.Replayed:
			words = append(words, "replayed")
		default:
			words = append(words, "done")
		}
	}
	return strings.Join(words, " ")
}

func (b bench) mustUses(t *testing.T, batch ledger.UseBatch) ([]ledger.Result, bool) {
	t.Helper()
	results, replayed, err := b.DoUses(context.Background(), batch)
	if err != nil || len(results) != len(batch.Uses) {
		t.Fatalf("%d results for %d uses, %v", len(results), len(batch.Uses), err)
	}
	return results, replayed
}

func (b bench) refusesUses(t *testing.T, batch ledger.UseBatch, code ledger.Code, field string) {
	t.Helper()
	before := b.store.Books()
	_, _, err := b.DoUses(context.Background(), batch)
	if refused, _ := errors.AsType[*ledger.Error](err); refused == nil || refused.Code != code || refused.Field != field {
		t.Fatalf("got %v, want %s of field %q", err, code, field)
	}
	if !reflect.DeepEqual(before, b.store.Books()) {
		t.Fatal("a refusal changed the books")
	}
}

func TestEachUseOfABatchIsAllowedOrRefusedByItself(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 10)
	var commits atomic.Int64
	b.store.Fail = func(step string) error {
		if step == "commit" {
			commits.Add(1)
		}
		return nil
	}
	batch := uses("", nil, 4, 7, 0, 5, 1, 1)
	batch.Uses[3].Refusal = ledger.Invalid("model", "the model has no price")
	results, replayed := b.mustUses(t, batch)
	if got := outcomes(results); replayed || got != "done insufficient_balance invalid_request invalid_request done done" {
		t.Fatalf("replayed %t: %s", replayed, got)
	}
	var balances []int64
	for _, i := range []int{0, 4, 5} {
		receipt := results[i].Receipt
		balances = append(balances, receipt.Wallet.Balance)
		if receipt.Entry.Amount != -batch.Uses[i].Amount || receipt.Usage == nil || receipt.Usage.Model != "m" {
			t.Fatalf("use %d: %+v", i, receipt)
		}
	}
	if !slices.Equal(balances, []int64{6, 5, 4}) || commits.Load() != 1 {
		t.Fatalf("balances %v in %d transactions", balances, commits.Load())
	}
}

func TestABatchOfAFrozenOrUnknownWallet(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 10)
	b.must(t, ledger.Freeze{Request: by(""), Reason: "fraud"})
	results, _ := b.mustUses(t, uses("", nil, 1, 2))
	if got := outcomes(results); got != "wallet_frozen wallet_frozen" {
		t.Fatal(got)
	}
	unknown := uses("", nil, 1, 2)
	unknown.Subject = ledger.UserSubject("nobody")
	if _, _, err := b.DoUses(context.Background(), unknown); ledger.CodeOf(err) != ledger.CodeWalletNotFound {
		t.Fatalf("got %v", err)
	}
}

// The key of a whole batch answers everything as the first time, refusals too, and
// whatever the wallet has become; in the same process and in another.
func TestARepeatedBatchAnswersTheFirstResults(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 10)
	batch := uses("k", nil, 4, 7, 0, 5)
	batch.Uses[1].Usage.Model = "other"
	first, replayed := b.mustUses(t, batch)
	if got := outcomes(first); replayed || got != "done insufficient_balance invalid_request done" {
		t.Fatalf("replayed %t: %s", replayed, got)
	}
	b.mint(t, 1000) // now all would be allowed
	for _, process := range []string{"the same process", "another"} {
		if process == "another" {
			b = b.restart(t)
		}
		before := b.store.Books()
		again, replayed := b.mustUses(t, batch)
		if !replayed || !reflect.DeepEqual(before, b.store.Books()) {
			t.Fatalf("%s: replayed %t, or the books changed", process, replayed)
		}
		for i := range first {
			sameResult(t, process, first[i], again[i])
		}
	}
}

// sameResult leaves out what only says that it is a repeat, and the wallet that a
// refusal carries for its first answer.
func sameResult(t *testing.T, process string, first, again ledger.Result) {
	t.Helper()
	first.Receipt.Replayed, again.Receipt.Replayed = false, false
	if !reflect.DeepEqual(first.Receipt, again.Receipt) {
		t.Errorf("%s:\n got %+v\nwant %+v", process, again.Receipt, first.Receipt)
	}
	one, _ := errors.AsType[*ledger.Error](first.Err)
	other, _ := errors.AsType[*ledger.Error](again.Err)
	if (one == nil) != (other == nil) || (one != nil && (one.Code != other.Code || one.Field != other.Field || one.Message != other.Message)) {
		t.Errorf("%s: got %v, want %v", process, other, one)
	}
}

func TestTheKeyOfABatchWithOtherUsesIsAMismatch(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 100)
	b.mustUses(t, uses("k", []string{"a", "b"}, 1, 2))
	for name, batch := range map[string]ledger.UseBatch{
		"another order": uses("k", []string{"b", "a"}, 2, 1),
		"other amounts": uses("k", []string{"a", "b"}, 1, 3),
		"other keys":    uses("k", []string{"a", "c"}, 1, 2),
		"fewer uses":    uses("k", []string{"a"}, 1),
		"more uses":     uses("k", []string{"a", "b", "c"}, 1, 2, 3),
	} {
		t.Run(name, func(t *testing.T) { b.refusesUses(t, batch, ledger.CodeIdempotencyMismatch, "") })
	}
	if _, replayed := b.mustUses(t, uses("k2", nil, 1, 2)); replayed {
		t.Fatal("another key was answered with a first result")
	}
	if b.must(t, ledger.Use{Request: by("k"), Amount: 1}).Replayed {
		t.Fatal("the key of a batch answered a single use")
	}
}

// A client that falls back from a batch to single uses, or the other way round, is
// not charged twice.
func TestTheKeysOfUsesAreTheSameAloneAndInABatch(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 100)
	single := func(key string, amount int64) ledger.Use {
		return ledger.Use{Request: by(key), Amount: amount, Usage: ledger.Usage{Model: "m"}}
	}
	alone := b.must(t, single("a", 1))
	results, _ := b.mustUses(t, uses("", []string{"a", "b", "b", "a", "b", ""}, 1, 2, 2, 9, 3, 1))
	if got := outcomes(results); got != "replayed done replayed idempotency_mismatch idempotency_mismatch done" {
		t.Fatal(got)
	}
	if results[0].Receipt.Entry.ID != alone.Entry.ID || results[2].Receipt.Entry.ID != results[1].Receipt.Entry.ID {
		t.Fatal("a repeat names another entry")
	}
	b = b.restart(t)
	if again := b.must(t, single("b", 2)); !again.Replayed || again.Entry.ID != results[1].Receipt.Entry.ID {
		t.Fatalf("got %+v", again)
	}
	b.refuses(t, single("b", 3), ledger.CodeIdempotencyMismatch)
	b.wants(t, 100-1-2-1, 0, 0)
}

// A refused use may be tried again, with its own key as well.
func TestARefusedUseOfABatchIsNotRemembered(t *testing.T) {
	b := openQuiet(t)
	results, _ := b.mustUses(t, uses("k", []string{"a"}, 5))
	if got := outcomes(results); got != "insufficient_balance" {
		t.Fatal(got)
	}
	b.mint(t, 5)
	if b.must(t, ledger.Use{Request: by("a"), Amount: 5, Usage: ledger.Usage{Model: "m"}}).Replayed {
		t.Fatal("a refusal was remembered")
	}
	results, replayed := b.mustUses(t, uses("k", []string{"a"}, 5)) // the whole is
	if got := outcomes(results); !replayed || got != "insufficient_balance" {
		t.Fatalf("replayed %t: %s", replayed, got)
	}
}

func TestABatchThatFailsIsDoneOnceWhenItIsRepeated(t *testing.T) {
	for _, step := range []string{"begin", "write", "commit"} {
		t.Run(step, func(t *testing.T) {
			b := openQuiet(t)
			b.mint(t, 10)
			b.store.Fail = func(s string) error {
				if s == step {
					return errors.New("the disk is full")
				}
				return nil
			}
			b.refusesUses(t, uses("k", nil, 4, 4, 4), ledger.CodeOverloaded, "")
			b.store.Fail = nil
			for _, again := range []bool{false, true} {
				results, replayed := b.mustUses(t, uses("k", nil, 4, 4, 4))
				if replayed != again || results[0].Err != nil || ledger.CodeOf(results[2].Err) != ledger.CodeInsufficientBalance {
					t.Fatalf("replayed %t: %s", replayed, outcomes(results))
				}
			}
			b.wants(t, 2, 0, 0)
		})
	}
}

// Two of the same that wait together are one.
func TestTheSameBatchTwiceInOneTransaction(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 10)
	gate := newGate()
	gate.write = func() error { gate.writes.Add(1); return nil }
	b.store.Fail = gate.hold
	first := start(context.Background(), b, ledger.Mint{Request: by(""), Amount: 1})
	gate.wait(t)
	type batchAnswer struct {
		results  []ledger.Result
		replayed bool
		err      error
	}
	answers := make(chan batchAnswer, 3)
	for i, batch := range []ledger.UseBatch{uses("k", nil, 4, 9), uses("k", nil, 4, 9), uses("k", nil, 4, 8)} {
		go func() {
			results, replayed, err := b.DoUses(context.Background(), batch)
			answers <- batchAnswer{results, replayed, err}
		}()
		eventually(t, func() bool { return b.Waiting() == i+1 })
	}
	gate.open()
	first.result(t)
	repeats, mismatches := 0, 0
	for range 3 {
		switch answer := <-answers; {
		case ledger.CodeOf(answer.err) == ledger.CodeIdempotencyMismatch:
			mismatches++
		case answer.err != nil || answer.results[0].Receipt.Wallet.Balance != 7:
			t.Fatalf("got %+v", answer)
		case answer.replayed:
			repeats++
		}
	}
	if repeats != 1 || mismatches != 1 || gate.commits.Load() != 2 || gate.writes.Load() != 2 {
		t.Fatalf("%d repeats and %d mismatches in %d transactions and %d writes", repeats, mismatches, gate.commits.Load(), gate.writes.Load())
	}
	b.wants(t, 7, 0, 0)
}

func TestABatchHasItsBounds(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, ledger.MaxBatchUses)
	ones := slices.Repeat([]int64{1}, ledger.MaxBatchUses)
	b.refusesUses(t, uses("", nil), ledger.CodeInvalidRequest, "uses")
	b.refusesUses(t, uses("", nil, append(ones, 1)...), ledger.CodeInvalidRequest, "uses")
	b.refusesUses(t, uses(strings.Repeat("k", ledger.MaxIdempotencyKeyBytes+1), nil, 1), ledger.CodeInvalidRequest, "Idempotency-Key")
	b.refusesUses(t, ledger.UseBatch{Uses: uses("", nil, 1).Uses}, ledger.CodeInvalidRequest, "subjectType")
	long := uses("", []string{strings.Repeat("k", ledger.MaxIdempotencyKeyBytes+1)}, 1)
	if results, _ := b.mustUses(t, long); outcomes(results) != "invalid_request" {
		t.Fatal(outcomes(results))
	}
	b.mustUses(t, uses("", nil, ones...))
	b.wants(t, 0, 0, 0)
}

// The uses that wait are bounded over all batches, and room comes back.
func TestTooManyWaitingUsesAreRefused(t *testing.T) {
	const most = 32
	b := openQuiet(t)
	gate := newGate()
	b.store.Fail = gate.hold
	first := start(context.Background(), b, ledger.Mint{Request: by(""), Amount: 1})
	gate.wait(t)
	nothing := uses("", nil, slices.Repeat([]int64{0}, ledger.MaxBatchUses)...) // refused one by one, but they wait
	var waiting sync.WaitGroup
	for range most {
		waiting.Go(func() {
			if _, _, err := b.DoUses(context.Background(), nothing); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, func() bool { return b.Waiting() == most })
	for range most { // as many again, all of which must give their room back
		if _, _, err := b.DoUses(context.Background(), nothing); ledger.CodeOf(err) != ledger.CodeOverloaded {
			t.Fatalf("got %v", err)
		}
	}
	if _, _, err := b.DoUses(context.Background(), uses("", nil, 1)); ledger.CodeOf(err) != ledger.CodeOverloaded {
		t.Fatalf("got %v", err)
	}
	single := queue(context.Background(), t, b, ledger.Use{Request: by(""), Amount: 1}) // has its own room
	gate.open()
	first.result(t)
	single.result(t)
	waiting.Wait()
	b.mint(t, 1)
	b.mustUses(t, uses("", nil, 1))
}

func TestACallerWhoLeftBeforeItsBatch(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 10)
	ctx, leave := context.WithCancel(context.Background())
	leave()
	if _, _, err := b.DoUses(ctx, uses("k", nil, 1)); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	b.wants(t, 10, 0, 0)
}

// Each use finds the wallet as those before it left it, grants included.
func TestTheUsesOfABatchShareTheGrants(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 5)
	soon := b.mintUntil(t, 10, time.Hour).Entry.ID
	results, _ := b.mustUses(t, uses("", nil, 4, 4, 4, 9))
	if got := outcomes(results); got != "done done done insufficient_balance" {
		t.Fatal(got)
	}
	b.wants(t, 3, 0, 0)
	b.clock.Advance(time.Hour)
	b.sweep(t)
	b.expired(t, soon)
}

package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
	"sokuji/internal/ledger/memorystore"
)

// openQuiet is open without a timer: holds and grants expire when a test says so.
func openQuiet(t *testing.T) bench {
	t.Helper()
	store, clock := memorystore.NewMemory(), ledgertest.NewClock()
	store.CreateWallet(alice)
	store.CreateWallet(bob)
	return reopen(t, store, clock, -1)
}

// reopen is a new process over what is stored.
func reopen(t *testing.T, store *memorystore.Memory, clock *ledgertest.Clock, sweepInterval time.Duration) bench {
	t.Helper()
	l := ledger.Open(store, ledger.Options{Now: clock.Now, Random: rand.NewChaCha8([32]byte{1}), SweepInterval: sweepInterval})
	t.Cleanup(func() {
		l.Close()
		if err := memorystore.Audit(store.Books()); err != nil {
			t.Errorf("the books do not balance: %v", err)
		}
	})
	return bench{l, store, clock}
}

func (b bench) restart(t *testing.T) bench {
	t.Helper()
	b.Close()
	return reopen(t, b.store, b.clock, -1)
}

func (b bench) sweep(t *testing.T) {
	t.Helper()
	if err := b.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (b bench) mint(t *testing.T, amount int64) ledger.Receipt {
	t.Helper()
	return b.must(t, ledger.Mint{Request: by(""), Amount: amount})
}

// hold opens a hold and returns its id.
func (b bench) hold(t *testing.T, amount int64, duration time.Duration) string {
	t.Helper()
	return b.must(t, ledger.Hold{Request: by(""), Amount: amount, Duration: duration}).Hold.ID
}

// wants checks alice's wallet.
func (b bench) wants(t *testing.T, balance, held, expiring int64) {
	t.Helper()
	wallet, err := b.Wallet(context.Background(), alice)
	if err != nil || wallet.Balance != balance || wallet.Held != held || wallet.Expiring != expiring {
		t.Fatalf("the wallet is %+v (%v), want a balance of %d with %d held and %d expiring", wallet, err, balance, held, expiring)
	}
}

func (b bench) state(t *testing.T, id string, want ledger.HoldState) {
	t.Helper()
	if got := b.store.Books().Holds[id].State; got != want {
		t.Fatalf("the hold is %s, want %s", got, want)
	}
}

func TestAHoldReservesUntilItIsClosed(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 100)
	first, second := b.hold(t, 40, time.Minute), b.hold(t, 30, time.Minute)
	b.wants(t, 100, 70, 0)
	b.refuses(t, ledger.Use{Request: by(""), Amount: 31}, ledger.CodeInsufficientBalance)
	b.refuses(t, ledger.Hold{Request: by(""), Amount: 31, Duration: time.Minute}, ledger.CodeInsufficientBalance)
	b.refuses(t, ledger.Extend{Request: by(""), HoldID: first, Amount: 31}, ledger.CodeInsufficientBalance)
	b.must(t, ledger.Extend{Request: by(""), HoldID: first, Amount: 30})
	b.wants(t, 100, 100, 0)
	b.must(t, ledger.Settle{Request: by(""), HoldID: first, Amount: 1})
	b.wants(t, 99, 30, 0)
	b.must(t, ledger.Release{Request: by(""), HoldID: second})
	b.wants(t, 99, 0, 0)
	for _, id := range []string{first, second} {
		b.refuses(t, ledger.Extend{Request: by(""), HoldID: id, Amount: 1}, ledger.CodeHoldNotOpen)
		b.refuses(t, ledger.Settle{Request: by(""), HoldID: id, Amount: 1}, ledger.CodeHoldNotOpen)
		b.refuses(t, ledger.Release{Request: by(""), HoldID: id}, ledger.CodeHoldNotOpen)
	}
}

func TestAnothersHoldIsNotFound(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 100)
	id := b.hold(t, 40, time.Minute)
	his := ledger.Request{Subject: bob}
	for _, id := range []string{id, "nothing", ""} {
		b.refuses(t, ledger.Extend{Request: his, HoldID: id, Amount: 1}, ledger.CodeHoldNotFound)
		b.refuses(t, ledger.Settle{Request: his, HoldID: id, Amount: 1}, ledger.CodeHoldNotFound)
		b.refuses(t, ledger.Release{Request: his, HoldID: id}, ledger.CodeHoldNotFound)
	}
	b.state(t, id, ledger.HoldOpen)
}

// A deadline counts from its moment on, whether somebody swept or not.
func TestADeadlineNeedsNoSweep(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 100)
	id := b.hold(t, 40, time.Minute)
	b.clock.Advance(time.Minute - time.Millisecond)
	b.must(t, ledger.Extend{Request: by(""), HoldID: id, Amount: 1})
	b.clock.Advance(time.Millisecond)
	b.refuses(t, ledger.Extend{Request: by(""), HoldID: id, Amount: 1}, ledger.CodeHoldNotOpen)
	b.refuses(t, ledger.Release{Request: by(""), HoldID: id}, ledger.CodeHoldNotOpen)
	b.sweep(t)
	b.state(t, id, ledger.HoldExpired)
	b.wants(t, 100, 0, 0)
	b.refuses(t, ledger.Settle{Request: by(""), HoldID: id, Amount: 101}, ledger.CodeInsufficientBalance)
	b.state(t, id, ledger.HoldExpired)
	b.must(t, ledger.Settle{Request: as(ledger.AsGateway, by("")), HoldID: id, Amount: 150}) // the cost is real
	b.state(t, id, ledger.HoldSettled)
	b.wants(t, -50, 0, 0)
	if wallet, _ := b.Wallet(context.Background(), alice); wallet.Frozen {
		t.Fatal("a settlement froze the wallet")
	}
	b.refuses(t, ledger.Hold{Request: by(""), Amount: 1, Duration: time.Minute}, ledger.CodeInsufficientBalance)
}

func TestAnExtendedHoldOutlivesItsFirstDeadline(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 100)
	id := b.hold(t, 40, time.Minute)
	b.must(t, ledger.Extend{Request: by(""), HoldID: id, Duration: time.Hour})
	b.clock.Advance(30 * time.Minute)
	b.sweep(t)
	b.state(t, id, ledger.HoldOpen)
	b.clock.Advance(30 * time.Minute)
	b.sweep(t)
	b.state(t, id, ledger.HoldExpired)
}

// A repeat answers with the hold as it was then, whatever became of it, also in
// another process.
func TestARepeatAnswersTheHoldAsItWas(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 100)
	opened := b.must(t, ledger.Hold{Request: by("k"), Amount: 40, Duration: time.Minute, Reference: "call"})
	id := opened.Hold.ID
	ops := []ledger.Operation{
		ledger.Hold{Request: by("k"), Amount: 40, Duration: time.Minute, Reference: "call"},
		ledger.Extend{Request: by("k"), HoldID: id, Amount: 5, Duration: time.Hour},
		ledger.Settle{Request: by("k"), HoldID: id, Amount: 7, Usage: ledger.Usage{Model: "m"}},
	}
	released := b.hold(t, 10, time.Minute)
	ops = append(ops, ledger.Release{Request: by("k"), HoldID: released})
	first := []ledger.Receipt{opened, b.must(t, ops[1]), b.must(t, ops[2]), b.must(t, ops[3])}
	for _, process := range []string{"the same process", "another"} {
		if process == "another" {
			b = b.restart(t)
		}
		b.clock.Advance(time.Hour)
		before := b.store.Books()
		for i, op := range ops {
			want := first[i]
			want.Replayed = true
			if again := b.must(t, op); !reflect.DeepEqual(again, want) {
				t.Errorf("%s: %T\n got %+v\nwant %+v", process, op, again, want)
			}
		}
		if !reflect.DeepEqual(before, b.store.Books()) {
			t.Error("repeats changed the books")
		}
	}
	for i, state := range []ledger.HoldState{ledger.HoldOpen, ledger.HoldOpen, ledger.HoldSettled, ledger.HoldReleased} {
		if first[i].Hold.State != state {
			t.Errorf("%T answered a hold that is %s", ops[i], first[i].Hold.State)
		}
	}
}

func TestAKeyWithAnotherHoldIsAMismatch(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 100)
	one, two := b.hold(t, 1, time.Minute), b.hold(t, 1, time.Minute)
	hold := ledger.Hold{Request: by("k"), Amount: 2, Duration: time.Minute, Reference: "r"}
	b.must(t, hold)
	b.must(t, ledger.Extend{Request: by("k"), HoldID: one, Amount: 2, Duration: time.Minute})
	b.must(t, ledger.Settle{Request: by("k"), HoldID: one, Amount: 2})
	for name, op := range map[string]ledger.Operation{
		"amount":    ledger.Hold{Request: by("k"), Amount: 3, Duration: time.Minute, Reference: "r"},
		"duration":  ledger.Hold{Request: by("k"), Amount: 2, Duration: time.Hour, Reference: "r"},
		"reference": ledger.Hold{Request: by("k"), Amount: 2, Duration: time.Minute, Reference: "s"},
		"extended":  ledger.Extend{Request: by("k"), HoldID: two, Amount: 2, Duration: time.Minute},
		"by more":   ledger.Extend{Request: by("k"), HoldID: one, Amount: 3, Duration: time.Minute},
		"for more":  ledger.Extend{Request: by("k"), HoldID: one, Amount: 2, Duration: time.Hour},
		"settled":   ledger.Settle{Request: by("k"), HoldID: two, Amount: 2},
		"with more": ledger.Settle{Request: by("k"), HoldID: one, Amount: 3},
		"of what":   ledger.Settle{Request: by("k"), HoldID: one, Amount: 2, Usage: ledger.Usage{Model: "m"}},
	} {
		t.Run(name, func(t *testing.T) { b.refuses(t, op, ledger.CodeIdempotencyMismatch) })
	}
}

// However many try at once, a hold is closed once.
func TestOneClosingWins(t *testing.T) {
	settle := func(id string) ledger.Operation { return ledger.Settle{Request: by(""), HoldID: id, Amount: 3} }
	release := func(id string) ledger.Operation { return ledger.Release{Request: by(""), HoldID: id} }
	for name, closings := range map[string][]func(id string) ledger.Operation{
		"settle and settle":   {settle, settle, settle},
		"settle and release":  {settle, release, settle, release},
		"release and release": {release, release, release},
	} {
		t.Run(name, func(t *testing.T) {
			b := openQuiet(t)
			b.mint(t, 1000)
			for range 50 {
				id := b.hold(t, 10, time.Minute)
				entries := len(b.store.Books().Entries)
				tries := make([]func() error, 0, len(closings))
				var settled atomic.Int64
				for _, closing := range closings {
					tries = append(tries, func() error {
						receipt, err := b.Do(context.Background(), closing(id))
						if err == nil && receipt.Entry != nil {
							settled.Add(1)
						}
						return err
					})
				}
				closed := 0
				for _, err := range atOnce(tries...) {
					if err == nil {
						closed++
					} else if ledger.CodeOf(err) != ledger.CodeHoldNotOpen {
						t.Fatalf("got %v", err)
					}
				}
				if added := len(b.store.Books().Entries) - entries; closed != 1 || int64(added) != settled.Load() {
					t.Fatalf("%d closings of one hold, %d of them settlements, and %d entries", closed, settled.Load(), added)
				}
			}
			if wallet, err := b.Wallet(context.Background(), alice); err != nil || wallet.Held != 0 {
				t.Fatalf("the wallet is %+v (%v)", wallet, err)
			}
		})
	}
}

// atOnce runs functions at the same time.
func atOnce(functions ...func() error) []error {
	errs := make([]error, len(functions))
	var running sync.WaitGroup
	begin := make(chan struct{})
	for i, function := range functions {
		running.Go(func() {
			<-begin
			errs[i] = function()
		})
	}
	close(begin)
	running.Wait()
	return errs
}

// Settlements race with the sweep: each is recorded once, before or after it.
func TestSettlementsRaceWithExpiry(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 1000)
	for range 50 {
		id := b.hold(t, 10, time.Minute)
		b.clock.Advance(time.Minute)
		sweep := func() error { return b.Sweep(context.Background()) }
		settle := func() error {
			_, err := b.Do(context.Background(), ledger.Settle{Request: by(""), HoldID: id, Amount: 3})
			return err
		}
		if err := errors.Join(atOnce(sweep, settle, sweep)...); err != nil {
			t.Fatal(err)
		}
		b.state(t, id, ledger.HoldSettled)
	}
	b.wants(t, 1000-50*3, 0, 0)
}

func TestHoldsExpireByTheTimer(t *testing.T) {
	quiet := openQuiet(t)
	quiet.mint(t, 100)
	id := quiet.hold(t, 40, time.Minute)
	quiet.Close()
	b := reopen(t, quiet.store, quiet.clock, time.Millisecond)
	time.Sleep(20 * time.Millisecond) // the timer goes, the deadline is ahead
	b.state(t, id, ledger.HoldOpen)
	b.clock.Advance(time.Minute)
	eventually(t, func() bool { return b.store.Books().Holds[id].State == ledger.HoldExpired })
	b.wants(t, 100, 0, 0)
}

func TestWhatIsOverExpiresAtBoot(t *testing.T) {
	quiet := openQuiet(t)
	quiet.must(t, ledger.Mint{Request: by(""), Amount: 100, ExpiresAt: quiet.clock.Now().Add(time.Minute)})
	id := quiet.hold(t, 40, time.Minute)
	quiet.Close()
	quiet.clock.Advance(time.Hour)
	b := reopen(t, quiet.store, quiet.clock, time.Hour)
	eventually(t, func() bool { return b.store.Books().Wallets[alice].Expiring == 0 })
	b.state(t, id, ledger.HoldExpired)
	b.wants(t, 0, 0, 0)
}

func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never happened")
		}
	}
}

// A sweep is bounded; the next one goes on where it stopped.
func TestSweepsGoThroughLongLists(t *testing.T) {
	const (
		oneSweep = 4096
		all      = oneSweep + 300
	)
	b := openQuiet(t)
	b.mint(t, all)
	for range all {
		b.hold(t, 1, time.Minute)
	}
	b.clock.Advance(time.Hour)
	b.sweep(t)
	b.wants(t, all, all-oneSweep, 0)
	b.sweep(t)
	b.wants(t, all, 0, 0)
}

// A sweep waits its turn, and the operations around it are answered.
func TestASweepAmongOperations(t *testing.T) {
	b := openQuiet(t)
	b.mint(t, 100)
	id := b.hold(t, 60, time.Minute)
	b.clock.Advance(time.Minute)
	gate := newGate()
	b.store.Fail = gate.hold
	first := start(context.Background(), b, ledger.Mint{Request: by(""), Amount: 1})
	gate.wait(t)
	before := queue(context.Background(), t, b, ledger.Use{Request: by(""), Amount: 60})
	waiting := b.Waiting()
	swept := make(chan error, 1)
	go func() { swept <- b.Sweep(context.Background()) }()
	eventually(t, func() bool { return b.Waiting() > waiting })
	after := queue(context.Background(), t, b, ledger.Use{Request: by(""), Amount: 60})
	gate.open()
	first.result(t)
	if _, err := before.wait(); ledger.CodeOf(err) != ledger.CodeInsufficientBalance {
		t.Fatalf("before the sweep: %v", err)
	}
	if err := <-swept; err != nil {
		t.Fatal(err)
	}
	after.result(t)
	b.state(t, id, ledger.HoldExpired)
}

// A sweep that fails is tried again, and holds nothing up.
func TestAFailedSweepIsTriedAgain(t *testing.T) {
	for _, step := range []string{"begin", "write", "commit"} {
		t.Run(step, func(t *testing.T) {
			b := openQuiet(t)
			b.mint(t, 100)
			id := b.hold(t, 60, time.Minute)
			b.clock.Advance(time.Minute)
			b.store.Fail = func(s string) error {
				if s == step {
					return fmt.Errorf("no %s today", s)
				}
				return nil
			}
			b.sweep(t)
			b.state(t, id, ledger.HoldOpen)
			b.store.Fail = nil
			b.sweep(t)
			b.state(t, id, ledger.HoldExpired)
			b.wants(t, 100, 0, 0)
		})
	}
}

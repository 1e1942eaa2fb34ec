package ledger_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
	"sokuji/internal/ledger/memorystore"
)

func TestTheLedgerBehavesLikeTheNaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPair(t)
		defer p.Close()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 11).Draw(t, "step") {
			case 0, 1:
				pause := drawPause(t)
				p.clock.Advance(pause)
				p.model.now = p.clock.Now()
			case 2:
				if err := p.Sweep(context.Background()); err != nil {
					t.Fatal(err)
				}
				p.model.sweep()
			case 3:
				p.batch(t)
			case 4:
				p.together(t)
			default:
				p.step(t)
			}
			p.compare(t)
		}
	})
}

// pair is the real ledger and the naive one.
type pair struct {
	*ledger.Ledger
	store *memorystore.Memory
	clock *ledgertest.Clock
	model *model
}

func newPair(t *rapid.T) *pair {
	store, clock := memorystore.NewMemory(), ledgertest.NewClock()
	clock.Advance(noon.Sub(clock.Now()))
	store.CreateWallet(alice)
	store.CreateWallet(bob)
	l := ledger.Open(store, ledger.Options{Now: clock.Now, Random: rand.NewChaCha8([32]byte{}), SweepInterval: -1})
	return &pair{l, store, clock, newModel(clock.Now())}
}

func (p *pair) step(t *rapid.T) {
	op, subject, _ := p.model.draw(t)
	receipt, err := p.Do(context.Background(), op)
	p.judge(t, op, subject, receipt, err)
}

// together sends operations while the writer is busy with the first of them, so
// that the others share a transaction; the model knows no transactions.
func (p *pair) together(t *rapid.T) {
	ops, subjects := make([]ledger.Operation, rapid.IntRange(2, 7).Draw(t, "together")), []ledger.Subject(nil)
	for i := range ops {
		op, subject, _ := p.model.draw(t)
		ops[i], subjects = op, append(subjects, subject)
	}
	busy, release := make(chan struct{}), make(chan struct{})
	begins := 0
	p.store.Fail = func(step string) error {
		if step == "begin" {
			if begins++; begins == 1 {
				close(busy)
				<-release
			}
		}
		return nil
	}
	calls := []*call{start(context.Background(), bench{Ledger: p.Ledger}, ops[0])}
	<-busy
	for i, op := range ops[1:] {
		calls = append(calls, start(context.Background(), bench{Ledger: p.Ledger}, op))
		for p.Waiting() <= i {
			runtime.Gosched()
		}
	}
	close(release)
	for i, c := range calls {
		receipt, err := c.wait()
		p.judge(t, ops[i], subjects[i], receipt, err)
	}
	p.store.Fail = nil
	if begins != 2 {
		t.Fatalf("%d transactions for two batches", begins)
	}
}

// judge compares an answer with what the model foresees, and keeps it as the one
// that repetitions must get.
func (p *pair) judge(t *rapid.T, op ledger.Operation, subject ledger.Subject, receipt ledger.Receipt, err error) {
	m := p.model
	key, event := keyOf(op, subject), eventOf(op)
	if first, used := m.byKey[key]; used && key != "" {
		checkRepeat(t, receipt, err, first, shape(op))
		return
	}
	if first, used := m.byEvent[event]; used && event != "" {
		checkRepeatedEvent(t, receipt, err, first, eventShape(op, subject))
		if err == nil && key != "" {
			m.byKey[key] = modelAnswer{shape: shape(op), receipt: receipt}
		}
		return
	}
	want := m.do(op, subject, madeID(receipt))
	checkReceipt(t, op, receipt, err, want)
	if err != nil {
		return
	}
	if key != "" {
		m.byKey[key] = modelAnswer{shape: shape(op), receipt: receipt}
	}
	if event != "" {
		m.byEvent[event] = modelAnswer{shape: eventShape(op, subject), receipt: receipt}
	}
}

func (p *pair) batch(t *rapid.T) {
	batch := drawBatch(t)
	results, replayed, err := p.DoUses(context.Background(), batch)
	key, whole := fmt.Sprint("batch ", batch.Subject, batch.IdempotencyKey), fmt.Sprintf("%+v", batch.Uses)
	first, used := p.model.byKey[key]
	switch {
	case used && first.shape != whole:
		if ledger.CodeOf(err) != ledger.CodeIdempotencyMismatch {
			t.Fatalf("a batch's key with other uses answered %v, %v", results, err)
		}
		return
	case used:
		if err != nil || !replayed || !sameResults(results, first.results) {
			t.Fatalf("a repeated batch answered %v, %v, %v, and first %v", results, replayed, err, first.results)
		}
		return
	case err != nil || replayed || len(results) != len(batch.Uses):
		t.Fatalf("a batch answered %v, %v, %v", results, replayed, err)
	}
	for i, use := range batch.Uses {
		use.Spender = batch.Spender
		if use.Amount == 0 {
			if ledger.CodeOf(results[i].Err) != ledger.CodeInvalidRequest {
				t.Fatalf("a use of nothing answered %+v", results[i])
			}
			continue
		}
		p.judge(t, use, batch.Subject, results[i].Receipt, results[i].Err)
	}
	if batch.IdempotencyKey != "" {
		p.model.byKey[key] = modelAnswer{shape: whole, results: results}
	}
}

// compare looks at everything that the model knows.
func (p *pair) compare(t *rapid.T) {
	books := p.store.Books()
	if err := memorystore.Audit(books); err != nil {
		t.Fatal(err)
	}
	if len(books.Entries) != p.model.entries {
		t.Fatalf("%d entries, the model has %d", len(books.Entries), p.model.entries)
	}
	left := make(map[string]int64)
	for subject, want := range p.model.wallets {
		wallet, err := p.Wallet(context.Background(), subject)
		if err != nil || wallet.Balance != want.balance() || wallet.Held != p.model.held(subject) || wallet.Seq != want.seq ||
			wallet.Expiring != int64(len(want.dated)) || wallet.FrozenReason != want.frozen || wallet != books.Wallets[subject] {
			t.Fatalf("the wallet is %+v (%v), the model has %d, %d held, %+v", wallet, err, want.balance(), p.model.held(subject), want)
		}
		for _, token := range want.dated {
			left[token.mint]++
		}
	}
	for id, grant := range books.Grants {
		if grant.Remaining != left[id] {
			t.Fatalf("grant %s has %d left, the model %d", id, grant.Remaining, left[id])
		}
	}
	for id, want := range p.model.holds {
		if hold := books.Holds[id]; hold.State != want.state || hold.Amount != want.amount || !hold.ExpiresAt.Equal(want.deadline) {
			t.Fatalf("the hold is %+v, the model has %+v", hold, want)
		}
	}
	for id, spending := range books.Spending {
		total, day, month := p.model.keySpent(id)
		now := spending.At(p.clock.Now())
		if now.Tokens != total || now.DayTokens != day || now.MonthTokens != month || now.HeldTokens != p.model.keyHolds(id) {
			t.Fatalf("the key has spent %+v, the model has %d, %d today, %d in this month, %d held", now, total, day, month, p.model.keyHolds(id))
		}
	}
	if len(books.Holds) != len(p.model.holds) {
		t.Fatalf("%d holds, the model has %d", len(books.Holds), len(p.model.holds))
	}
}

func checkReceipt(t *rapid.T, op ledger.Operation, receipt ledger.Receipt, err error, want expected) {
	if ledger.CodeOf(err) != want.code || (err != nil) != (want.code != "") {
		t.Fatalf("%+v: got %v, the model says %q", op, err, want.code)
	}
	if err != nil {
		return
	}
	if receipt.Replayed || receipt.Wallet.Balance != want.balance || receipt.Wallet.Held != want.held || receipt.Refundable != want.refundable {
		t.Fatalf("%+v: got %+v, the model says %+v", op, receipt, want)
	}
	if entry := receipt.Entry; entry != nil && entry.Amount != want.change {
		t.Fatalf("%+v: the entry moved %d, the model says %d", op, entry.Amount, want.change)
	}
	if (receipt.Hold != nil) != (want.hold != nil) {
		t.Fatalf("%+v: got hold %+v, the model says %+v", op, receipt.Hold, want.hold)
	}
	if hold := receipt.Hold; hold != nil && (hold.State != want.hold.state || hold.Amount != want.hold.amount) {
		t.Fatalf("%+v: got hold %+v, the model says %+v", op, hold, want.hold)
	}
}

func checkRepeat(t *rapid.T, receipt ledger.Receipt, err error, first modelAnswer, again string) {
	if first.shape != again {
		if ledger.CodeOf(err) != ledger.CodeIdempotencyMismatch {
			t.Fatalf("a key with other fields answered %+v, %v", receipt, err)
		}
		return
	}
	if err != nil || !receipt.Replayed || !sameReceipt(receipt, first.receipt) {
		t.Fatalf("a repeated request answered %+v, %v, and first %+v", receipt, err, first.receipt)
	}
}

func checkRepeatedEvent(t *rapid.T, receipt ledger.Receipt, err error, first modelAnswer, again string) {
	if first.shape != again {
		if ledger.CodeOf(err) != ledger.CodeIdempotencyMismatch {
			t.Fatalf("an event with other fields answered %+v, %v", receipt, err)
		}
		return
	}
	if err != nil || !receipt.Replayed || !reflect.DeepEqual(receipt.Entry, first.receipt.Entry) || receipt.Wallet.Balance != first.receipt.Wallet.Balance {
		t.Fatalf("a repeated event answered %+v, %v, and first %+v", receipt, err, first.receipt)
	}
}

// sameReceipt leaves out whether it is the first.
func sameReceipt(a, b ledger.Receipt) bool {
	a.Replayed, b.Replayed = false, false
	return reflect.DeepEqual(a, b)
}

func sameResults(a, b []ledger.Result) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if ledger.CodeOf(a[i].Err) != ledger.CodeOf(b[i].Err) || !sameReceipt(a[i].Receipt, b[i].Receipt) {
			return false
		}
	}
	return true
}

// shape is everything of an operation but who asked.
func shape(op ledger.Operation) string {
	value := reflect.New(reflect.TypeOf(op)).Elem()
	value.Set(reflect.ValueOf(op))
	value.FieldByName("Spender").SetZero()
	value.FieldByName("Authority").SetZero()
	return fmt.Sprintf("%+v", value.Interface())
}

// keyOf names a repeatable request, empty for the others.
func keyOf(op ledger.Operation, subject ledger.Subject) string {
	key := reflect.ValueOf(op).FieldByName("IdempotencyKey").String()
	if key == "" {
		return ""
	}
	return fmt.Sprintf("%T %v %s", op, subject, key)
}

func eventOf(op ledger.Operation) string {
	mint, _ := op.(ledger.Mint)
	return mint.ExternalEventID
}

func eventShape(op ledger.Operation, subject ledger.Subject) string {
	mint, _ := op.(ledger.Mint)
	return fmt.Sprint(subject, mint.Amount)
}

func madeID(receipt ledger.Receipt) string {
	switch {
	case receipt.Entry != nil:
		return receipt.Entry.ID
	case receipt.Hold != nil:
		return receipt.Hold.ID
	}
	return ""
}

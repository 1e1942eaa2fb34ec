package ledger_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/ledgertest"
	"sokuji/internal/ledger/memorystore"
)

// model is the naive ledger: no batches, no cache, no chain, only what api.md says.
type model struct {
	balance  map[ledger.Subject]int64
	frozen   map[ledger.Subject]string
	left     map[string]int64 // what may still be refunded, by entry id
	sign     map[string]int64 // of the entry, by id
	owner    map[string]ledger.Subject
	byKey    map[string]string // the answer of each request that was done, by route, wallet and key
	byEvent  map[string]string
	entries  int
	sequence map[ledger.Subject]int64
}

func newModel() *model {
	return &model{
		balance: map[ledger.Subject]int64{}, frozen: map[ledger.Subject]string{}, left: map[string]int64{},
		sign: map[string]int64{}, owner: map[string]ledger.Subject{}, byKey: map[string]string{}, byEvent: map[string]string{},
		sequence: map[ledger.Subject]int64{},
	}
}

// expect returns the code of the refusal that the model foresees, and otherwise
// the change of the balance.
func (m *model) expect(op ledger.Operation) (ledger.Code, int64) {
	switch op := op.(type) {
	case ledger.Mint:
		return "", op.Amount
	case ledger.Use:
		if m.frozen[op.Subject] != "" {
			return ledger.CodeWalletFrozen, 0
		}
		if !op.AllowNegative && m.balance[op.Subject] < op.Amount {
			return ledger.CodeInsufficientBalance, 0
		}
		return "", -op.Amount
	case ledger.Adjust:
		if op.Amount < 0 && m.balance[op.Subject]+op.Amount < 0 {
			return ledger.CodeInsufficientBalance, 0
		}
		return "", op.Amount
	case ledger.Refund:
		left, known := m.left[op.EntryID]
		if !known || m.owner[op.EntryID] != op.Subject {
			return ledger.CodeInvalidRequest, 0
		}
		amount := op.Amount
		if amount == 0 {
			amount = left
		}
		if left == 0 || amount > left {
			return ledger.CodeOverRefund, 0
		}
		return "", -m.sign[op.EntryID] * amount
	}
	return "", 0 // freeze and unfreeze move nothing
}

func (m *model) follow(op ledger.Operation, subject ledger.Subject, change int64, receipt ledger.Receipt) {
	m.balance[subject] += change
	switch op := op.(type) {
	case ledger.Freeze:
		m.frozen[subject] = op.Reason
		return
	case ledger.Unfreeze:
		m.frozen[subject] = ""
		return
	case ledger.Refund:
		m.left[op.EntryID] -= max(change, -change)
		if change < 0 && m.balance[subject] < 0 && m.frozen[subject] == "" {
			m.frozen[subject] = ledger.FrozenNegativeBalance
		}
	case ledger.Mint, ledger.Use:
		m.left[receipt.Entry.ID] = max(change, -change)
		m.sign[receipt.Entry.ID] = 1
		if change < 0 {
			m.sign[receipt.Entry.ID] = -1
		}
		m.owner[receipt.Entry.ID] = subject
	}
	if change > 0 && m.balance[subject] >= 0 && m.frozen[subject] == ledger.FrozenNegativeBalance {
		m.frozen[subject] = ""
	}
	m.entries++
	m.sequence[subject]++
}

// draw makes an operation from small numbers, so that refusals, repeats and
// freezes are common.
func (m *model) draw(t *rapid.T) (ledger.Operation, ledger.Subject, string) {
	subject := rapid.SampledFrom([]ledger.Subject{alice, bob}).Draw(t, "wallet")
	key := rapid.SampledFrom([]string{"", "", "", "k1", "k2", "k3"}).Draw(t, "key")
	request := ledger.Request{Subject: subject, IdempotencyKey: key, Actor: "test"}
	amount := rapid.Int64Range(1, 20).Draw(t, "amount")
	switch rapid.SampledFrom([]string{"mint", "use", "use", "refund", "refund", "adjust", "freeze", "unfreeze"}).Draw(t, "kind") {
	case "mint":
		event := rapid.SampledFrom([]string{"", "", "e1", "e2"}).Draw(t, "event")
		return ledger.Mint{Request: request, Amount: amount, ExternalEventID: event}, subject, key
	case "use":
		return ledger.Use{Request: request, Amount: amount, AllowNegative: rapid.Bool().Draw(t, "allowNegative")}, subject, key
	case "refund":
		ids := append(slices.Sorted(maps.Keys(m.left)), "nothing")
		part := rapid.Int64Range(0, 1).Draw(t, "part") // 0: all that is left
		return ledger.Refund{Request: request, EntryID: rapid.SampledFrom(ids).Draw(t, "entry"), Amount: amount * part}, subject, key
	case "adjust":
		sign := rapid.SampledFrom([]int64{1, -1}).Draw(t, "sign")
		return ledger.Adjust{Request: request, Amount: amount * sign, Description: "why"}, subject, key
	case "freeze":
		return ledger.Freeze{Request: request, Reason: "fraud"}, subject, key
	default:
		return ledger.Unfreeze{Request: request, Reason: "cleared"}, subject, key
	}
}

func TestTheLedgerBehavesLikeTheNaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store, clock := memorystore.NewMemory(), ledgertest.NewClock()
		store.CreateWallet(alice)
		store.CreateWallet(bob)
		l := ledger.Open(store, ledger.Options{Now: clock.Now, Random: rand.NewChaCha8([32]byte{})})
		defer l.Close()
		m := newModel()
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			step(t, l, m)
			if err := memorystore.Audit(store.Books()); err != nil {
				t.Fatal(err)
			}
			if entries := len(store.Books().Entries); entries != m.entries {
				t.Fatalf("%d entries, the model has %d", entries, m.entries)
			}
		}
	})
}

func step(t *rapid.T, l *ledger.Ledger, m *model) {
	op, subject, key := m.draw(t)
	receipt, err := l.Do(context.Background(), op)

	// A key or an event that was used before answers as the first time.
	if answer, used := m.byKey[fmt.Sprintf("%T %v %s", op, subject, key)]; used && key != "" {
		checkRepeat(t, receipt, err, answer, shape(op))
		checkUntouched(t, l, m)
		return
	}
	if mint, ok := op.(ledger.Mint); ok && mint.ExternalEventID != "" {
		if answer, used := m.byEvent[mint.ExternalEventID]; used {
			checkRepeat(t, receipt, err, answer, fmt.Sprint(subject, mint.Amount))
			checkUntouched(t, l, m)
			if err == nil && key != "" {
				m.byKey[fmt.Sprintf("%T %v %s", op, subject, key)] = shape(op)
			}
			return
		}
	}
	code, change := m.expect(op)
	if ledger.CodeOf(err) != code || (err != nil) != (code != "") {
		t.Fatalf("%+v: got %v, the model says %q", op, err, code)
	}
	if err == nil {
		m.follow(op, subject, change, receipt)
		if key != "" {
			m.byKey[fmt.Sprintf("%T %v %s", op, subject, key)] = shape(op)
		}
		if mint, ok := op.(ledger.Mint); ok && mint.ExternalEventID != "" {
			m.byEvent[mint.ExternalEventID] = fmt.Sprint(subject, mint.Amount)
		}
	}
	checkUntouched(t, l, m)
}

// shape is everything of an operation but who asked.
func shape(op ledger.Operation) string { return fmt.Sprintf("%+v", op) }

func checkRepeat(t *rapid.T, receipt ledger.Receipt, err error, first, again string) {
	if first == again && (err != nil || !receipt.Replayed) {
		t.Fatalf("a repeated request answered %+v, %v", receipt, err)
	}
	if first != again && ledger.CodeOf(err) != ledger.CodeIdempotencyMismatch {
		t.Fatalf("a key with other fields answered %+v, %v", receipt, err)
	}
}

// checkUntouched compares both wallets with the model.
func checkUntouched(t *rapid.T, l *ledger.Ledger, m *model) {
	for _, subject := range []ledger.Subject{alice, bob} {
		wallet, err := l.Wallet(context.Background(), subject)
		if err != nil || wallet.Balance != m.balance[subject] || wallet.FrozenReason != m.frozen[subject] || wallet.Seq != m.sequence[subject] {
			t.Fatalf("the wallet is %+v (%v), the model has %d, %q, %d",
				wallet, err, m.balance[subject], m.frozen[subject], m.sequence[subject])
		}
	}
}

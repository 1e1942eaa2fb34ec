package ledger_test

import (
	"context"
	"fmt"
	"reflect"
	"runtime"

	"pgregory.net/rapid"

	"sokuji/internal/ledger"
)

type firstBatch struct {
	shape   string
	results []ledger.Result
	batch   ledger.UseBatch
}

// batch sends a batch; each of its uses must answer as if it were sent alone.
func (r rig) batch(t *rapid.T, batch ledger.UseBatch) {
	before := r.store.Books()
	results, replayed, err := r.DoUses(context.Background(), batch)
	name := fmt.Sprint(batch.Subject, batch.IdempotencyKey)
	first, known := r.model.batches[name]
	answer := firstBatch{fmt.Sprintf("%+v", batch), results, batch}
	if batch.IdempotencyKey != "" && known {
		checkBatchRepeat(t, first, answer, replayed, err)
		r.unchanged(t, before)
		return
	}
	if err != nil || replayed || len(results) != len(batch.Uses) {
		t.Fatalf("%+v answered %+v, %t, %v", batch, results, replayed, err)
	}
	for i, use := range batch.Uses {
		use.Subject, use.Actor = batch.Subject, batch.Actor
		r.judgeItem(t, use, results[i])
	}
	if batch.IdempotencyKey != "" {
		r.model.batches[name] = answer
	}
}

func (r rig) judgeItem(t *rapid.T, use ledger.Use, result ledger.Result) {
	if use.Amount == 0 {
		if ledger.CodeOf(result.Err) != ledger.CodeInvalidRequest {
			t.Fatalf("a use of nothing answered %+v", result)
		}
		return
	}
	r.judge(t, use, result.Receipt, result.Err)
}

func checkBatchRepeat(t *rapid.T, first, again firstBatch, replayed bool, err error) {
	if first.shape != again.shape {
		if ledger.CodeOf(err) != ledger.CodeIdempotencyMismatch {
			t.Fatalf("a key with other uses answered %+v, %v", again.results, err)
		}
		return
	}
	if err != nil || !replayed || len(first.results) != len(again.results) {
		t.Fatalf("a repeated batch answered %+v, %t, %v", again.results, replayed, err)
	}
	for i, result := range again.results {
		checkItemRepeat(t, first.results[i], result)
	}
}

func checkItemRepeat(t *rapid.T, first, again ledger.Result) {
	if ledger.CodeOf(first.Err) != ledger.CodeOf(again.Err) {
		t.Fatalf("an item answered %v, and repeated %v", first.Err, again.Err)
	}
	first.Receipt.Replayed, again.Receipt.Replayed = false, false
	if !reflect.DeepEqual(first.Receipt, again.Receipt) {
		t.Fatalf("an item answered %+v, and repeated %+v", first.Receipt, again.Receipt)
	}
}

// together sends operations of which all but the first share one transaction. Each
// must be answered as if it came alone after those before it.
func (r rig) together(t *rapid.T) {
	ops := make([]ledger.Operation, rapid.IntRange(2, 6).Draw(t, "operations"))
	for i := range ops {
		ops[i] = r.model.draw(t)
	}
	begun, release := make(chan struct{}), make(chan struct{})
	transactions := 0
	r.store.Fail = func(step string) error {
		if step != "begin" {
			return nil
		}
		if transactions++; transactions == 1 {
			close(begun)
			<-release
		}
		return nil
	}
	calls := make([]*call, 0, len(ops))
	for i, op := range ops {
		calls = append(calls, start(context.Background(), bench{Ledger: r.Ledger}, op))
		if i == 0 {
			<-begun
		}
		for r.Waiting() < i {
			runtime.Gosched()
		}
	}
	close(release)
	for i, op := range ops {
		receipt, err := calls[i].wait()
		r.judge(t, op, receipt, err)
	}
	if transactions != 2 {
		t.Fatalf("%d transactions, want one for the first and one for the others", transactions)
	}
	r.store.Fail = nil
}

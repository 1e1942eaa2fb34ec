package simulate

import (
	"context"
	"fmt"
	"strings"

	"sokuji/internal/ledger"
)

// request is one intent of one client, sent as often as it takes. Its name is on
// everything that it may leave in the books.
type request struct {
	name   string
	client int
	op     ledger.Operation // nil for a batch
	batch  *ledger.UseBatch
	items  []*request // of the batch

	key, event string // what makes it repeatable; both may be empty
	sent       int
	first      *answer // the first success
}

// answer is what a client got.
type answer struct {
	receipt  ledger.Receipt
	results  []ledger.Result // of a batch
	replayed bool
	err      error
}

func (r *request) repeatable() bool { return r.key != "" || r.event != "" }

func (r *request) send(l *ledger.Ledger) answer {
	if r.batch != nil {
		results, replayed, err := l.DoUses(context.Background(), *r.batch)
		return answer{results: results, replayed: replayed, err: err}
	}
	receipt, err := l.Do(context.Background(), r.op)
	return answer{receipt: receipt, replayed: receipt.Replayed, err: err}
}

// unanswered tells whether the client knows nothing about what became of it.
func (a answer) unanswered() bool {
	return ledger.CodeOf(a.err) == ledger.CodeOverloaded
}

func (r *request) String() string {
	if r.batch != nil {
		names := make([]string, 0, len(r.items))
		for _, item := range r.items {
			names = append(names, item.String())
		}
		return fmt.Sprintf("%s c%d batch key=%q [%s]", r.name, r.client, r.key, strings.Join(names, ", "))
	}
	return fmt.Sprintf("%s c%d %s", r.name, r.client, describe(r.op))
}

func describe(op ledger.Operation) string {
	switch op := op.(type) {
	case ledger.Mint:
		until := ""
		if !op.ExpiresAt.IsZero() {
			until = op.ExpiresAt.Format(" until 01-02 15:04:05.000")
		}
		return fmt.Sprintf("mint %d%s event=%q key=%q %s", op.Amount, until, op.ExternalEventID, op.IdempotencyKey, op.Subject.ID)
	case ledger.Use:
		return fmt.Sprintf("use %d negative=%t key=%q %s", op.Amount, op.AllowNegative, op.IdempotencyKey, op.Subject.ID)
	case ledger.Refund:
		return fmt.Sprintf("refund %d of %s key=%q %s", op.Amount, op.EntryID, op.IdempotencyKey, op.Subject.ID)
	case ledger.Adjust:
		return fmt.Sprintf("adjust %d key=%q %s", op.Amount, op.IdempotencyKey, op.Subject.ID)
	case ledger.Hold:
		return fmt.Sprintf("hold %d for %s key=%q %s", op.Amount, op.Duration, op.IdempotencyKey, op.Subject.ID)
	case ledger.Extend:
		return fmt.Sprintf("extend %s by %d for %s key=%q", op.HoldID, op.Amount, op.Duration, op.IdempotencyKey)
	case ledger.Settle:
		return fmt.Sprintf("settle %s with %d key=%q", op.HoldID, op.Amount, op.IdempotencyKey)
	case ledger.Release:
		return fmt.Sprintf("release %s key=%q", op.HoldID, op.IdempotencyKey)
	}
	return fmt.Sprintf("%T %+v", op, op)
}

func (a answer) String() string {
	if a.results != nil {
		parts := make([]string, 0, len(a.results))
		for _, result := range a.results {
			parts = append(parts, answer{receipt: result.Receipt, err: result.Err}.String())
		}
		return fmt.Sprintf("replayed=%t [%s]", a.replayed, strings.Join(parts, ", "))
	}
	if a.err != nil {
		return string(ledger.CodeOf(a.err))
	}
	text := fmt.Sprintf("replayed=%t %+v", a.replayed, a.receipt.Wallet)
	if entry := a.receipt.Entry; entry != nil {
		text += fmt.Sprintf(" %s %d %s", entry.ID, entry.Amount, entry.Hash)
	}
	if hold := a.receipt.Hold; hold != nil {
		text += fmt.Sprintf(" hold %s %s %d", hold.ID, hold.State, hold.Amount)
	}
	return text
}

package simulate

import (
	"context"
	"fmt"
	"reflect"

	"sokuji/internal/ledger"
	"sokuji/internal/ledger/memorystore"
)

// checkBooks asks what must hold at every moment: the books balance, and nothing
// that carries a request's name is there twice.
func (w *world) checkBooks() (err error) {
	w.memory.Read(func(books memorystore.Books) { err = soundBooks(books) })
	return err
}

func soundBooks(books memorystore.Books) error {
	if err := memorystore.AuditContents(books); err != nil {
		return err
	}
	names := make(map[string]string)
	once := func(name, what string) error {
		if other, twice := names[name]; twice {
			return fmt.Errorf("request %s happened twice: %s and %s", name, other, what)
		}
		names[name] = what
		return nil
	}
	for id, entry := range books.Entries {
		if entry.ReferenceType == ledger.ReferenceGrant {
			continue
		}
		if err := once(entry.Description, "entry "+id); err != nil {
			return err
		}
	}
	for id, hold := range books.Holds {
		if err := once(hold.Reference, "hold "+id); err != nil {
			return err
		}
	}
	for _, row := range books.Audit {
		if row.Action != "wallet.freeze" && row.Action != "wallet.unfreeze" {
			continue
		}
		if err := once(row.Reason, "audit row "+row.ID); err != nil {
			return err
		}
	}
	return nil
}

// checkReaders asks whether what readers see is what is on disk.
func (w *world) checkReaders() error {
	for _, subject := range subjects() {
		wallet, err := w.ledger.Wallet(context.Background(), subject)
		stored, _, _ := w.memory.Wallet(context.Background(), subject)
		if err != nil || wallet != stored {
			return fmt.Errorf("readers see %+v (%v), on disk is %+v", wallet, err, stored)
		}
	}
	return nil
}

// checkAnswer compares an answer with the books and with earlier answers to the
// same request.
func (w *world) checkAnswer(r *request, a answer) error {
	if a.unanswered() {
		return nil
	}
	if a.err != nil {
		return w.checkRefusal(r, a)
	}
	if r.first != nil && !a.replayed {
		return fmt.Errorf("%s was done before and was done again: %s", r.name, a)
	}
	if r.first != nil && !sameAnswer(r, *r.first, a) {
		return fmt.Errorf("%s answers differently: first %s, now %s", r.name, *r.first, a)
	}
	return w.checkRecorded(r, a)
}

// checkRefusal: what was done before is never refused when it is repeated.
func (w *world) checkRefusal(r *request, a answer) error {
	if ledger.CodeOf(a.err) == "" {
		return fmt.Errorf("%s failed with an error that no client should see: %w", r.name, a.err)
	}
	if r.first != nil && r.repeatable() {
		return fmt.Errorf("%s was done before and is refused: %w", r.name, a.err)
	}
	return nil
}

// sameAnswer leaves out whether it is the first. A mint that is known by its
// event alone answers with the freeze and the holds of now.
func sameAnswer(r *request, a, b answer) bool {
	a.receipt.Replayed, b.receipt.Replayed = false, false
	if r.key == "" {
		a.receipt.Wallet.Held, a.receipt.Wallet.Frozen = b.receipt.Wallet.Held, b.receipt.Wallet.Frozen
	}
	if len(a.results) != len(b.results) || !reflect.DeepEqual(a.receipt, b.receipt) {
		return false
	}
	for i := range a.results {
		one, other := a.results[i], b.results[i]
		one.Receipt.Replayed, other.Receipt.Replayed = false, false
		if ledger.CodeOf(one.Err) != ledger.CodeOf(other.Err) || !reflect.DeepEqual(one.Receipt, other.Receipt) {
			return false
		}
	}
	return true
}

// checkRecorded looks up what a successful answer says.
func (w *world) checkRecorded(r *request, a answer) (err error) {
	w.memory.Read(func(books memorystore.Books) { err = recordedAll(books, r, a) })
	return err
}

func recordedAll(books memorystore.Books, r *request, a answer) error {
	if r.batch != nil {
		if stored := books.Requests[ledger.RequestKey{Subject: r.batch.Subject, Kind: ledger.KindBatch, Key: r.key}]; r.key != "" && len(stored.Items) != len(r.items) {
			return fmt.Errorf("%s was answered and its key is not in the books", r.name)
		}
		for i, result := range a.results {
			if result.Err != nil {
				continue
			}
			if err := recorded(books, r.items[i].op, result.Receipt); err != nil {
				return fmt.Errorf("item %d of %s: %w", i+1, r.name, err)
			}
		}
		return nil
	}
	if err := recorded(books, r.op, a.receipt); err != nil {
		return fmt.Errorf("%s: %w", r.name, err)
	}
	return nil
}

func recorded(books memorystore.Books, op ledger.Operation, receipt ledger.Receipt) error {
	if entry := receipt.Entry; entry != nil {
		if stored, found := books.Entries[entry.ID]; !found || !reflect.DeepEqual(stored, *entry) {
			return fmt.Errorf("entry %s was answered and the books say %+v", entry.ID, stored)
		}
		if receipt.Wallet.Balance != entry.BalanceAfter {
			return fmt.Errorf("entry %s led to %d, the answer says %d", entry.ID, entry.BalanceAfter, receipt.Wallet.Balance)
		}
		if fixed, amount := amountOf(op); fixed && entry.Amount != amount {
			return fmt.Errorf("entry %s moved %d, the request says %d", entry.ID, entry.Amount, amount)
		}
	}
	if usage := receipt.Usage; usage != nil && !reflect.DeepEqual(books.Usage[usage.ID], *usage) {
		return fmt.Errorf("usage row %s was answered and the books say %+v", usage.ID, books.Usage[usage.ID])
	}
	return recordedHold(books, receipt.Hold)
}

// recordedHold: a hold may have gone on since it was answered, but never back.
func recordedHold(books memorystore.Books, hold *ledger.HoldRow) error {
	if hold == nil {
		return nil
	}
	stored, found := books.Holds[hold.ID]
	if !found || stored.Subject != hold.Subject || stored.Amount < hold.Amount || stored.ExpiresAt.Before(hold.ExpiresAt) {
		return fmt.Errorf("hold %s was answered with %d until %s and the books say %+v", hold.ID, hold.Amount, hold.ExpiresAt, stored)
	}
	if hold.State != ledger.HoldOpen && !reflect.DeepEqual(stored, *hold) {
		return fmt.Errorf("hold %s was closed as %+v and the books say %+v", hold.ID, *hold, stored)
	}
	return nil
}

// amountOf is what an operation moves, where its fields alone say so.
func amountOf(op ledger.Operation) (bool, int64) {
	switch op := op.(type) {
	case ledger.Mint:
		return true, op.Amount
	case ledger.Use:
		return true, -op.Amount
	case ledger.Settle:
		return true, -op.Amount
	case ledger.Adjust:
		return true, op.Amount
	}
	return false, 0
}

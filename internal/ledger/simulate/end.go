package simulate

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"sokuji/internal/ledger"
)

// end lets everything come to rest on a disk that works: every client gets its
// answer, every hold is closed, everything that expires expires, and then all
// requests are repeated once more, which must change nothing.
func (w *world) end() error {
	w.disk.calm, w.disk.full = true, 0
	for _, phase := range []func() error{w.answerAll, w.settleAll, w.expireAll, w.checkAttributed, w.repeatAll} {
		if err := errors.Join(phase(), w.afterStep()); err != nil {
			return err
		}
	}
	for _, subject := range subjects() {
		wallet := w.memory.Books().Wallets[subject]
		w.note("end %+v %d %s", subject, wallet.Balance, wallet.Head)
	}
	return nil
}

func (w *world) answerAll() error {
	for _, r := range slices.Clone(w.open) {
		w.result.Repeats++
		if err := w.send([]*request{r}); err != nil {
			return err
		}
	}
	if len(w.open) > 0 {
		return fmt.Errorf("%s got no answer from a disk that works", w.open[0].name)
	}
	return nil
}

// settleAll closes every second open hold, in the name of whoever may; the others
// are left to expire.
func (w *world) settleAll() error {
	holds := w.memory.Books().Holds
	for i, id := range slices.Sorted(maps.Keys(holds)) {
		if holds[id].State != ledger.HoldOpen || i%2 == 0 {
			continue
		}
		r := w.inventor.named()
		r.op = ledger.Settle{
			Request: ledger.Request{Subject: holds[id].Subject, IdempotencyKey: r.key, Authority: ledger.AsSuperuser}, HoldID: id,
			Amount: w.inventor.amount(), Description: r.name,
		}
		if err := w.send([]*request{r}); err != nil {
			return err
		}
		if r.first == nil {
			return fmt.Errorf("%s: an open hold of %d was not settled", r.name, holds[id].Amount)
		}
	}
	return nil
}

// expireAll goes to a time at which nothing can be live any more.
func (w *world) expireAll() error {
	w.clock.advance(w.clock.latest.Sub(w.clock.now) + longestGrant + ledger.MaxHoldDuration + time.Hour)
	if err := w.sweep(); err != nil {
		return err
	}
	books := w.memory.Books()
	for id, hold := range books.Holds {
		if hold.State == ledger.HoldOpen {
			return fmt.Errorf("hold %s is open for ever", id)
		}
	}
	for id, grant := range books.Grants {
		if grant.State != ledger.GrantExpired || grant.Remaining != 0 {
			return fmt.Errorf("grant %s never expired: %+v", id, grant)
		}
	}
	for subject, wallet := range books.Wallets {
		if wallet.Held != 0 || wallet.Expiring != 0 {
			return fmt.Errorf("wallet of %s still has %d held and %d expiring", subject.ID, wallet.Held, wallet.Expiring)
		}
	}
	return nil
}

// checkAttributed: every entry is what somebody asked for, in the right wallet.
func (w *world) checkAttributed() error {
	asked := make(map[string]*request)
	for _, r := range w.inventor.all {
		asked[r.name] = r
	}
	for id, entry := range w.memory.Books().Entries {
		if entry.ReferenceType == ledger.ReferenceGrant {
			continue
		}
		r := asked[entry.Description]
		if r == nil || r.op == nil || requestSubject(r.op) != entry.Subject {
			return fmt.Errorf("entry %s (%q) is nobody's", id, entry.Description)
		}
		if fixed, amount := amountOf(r.op); fixed && amount != entry.Amount {
			return fmt.Errorf("entry %s moved %d, %s asked for %d", id, entry.Amount, r.name, amount)
		}
	}
	return nil
}

// repeatAll sends everything that was done to a new process, newest first.
func (w *world) repeatAll() error {
	w.restart()
	before := w.memory.Books()
	for _, r := range slices.Backward(slices.Clone(w.done)) {
		if r.first == nil {
			continue
		}
		w.result.Repeats++
		if err := w.send([]*request{r}); err != nil {
			return err
		}
	}
	after := w.memory.Books()
	if len(after.Entries) != len(before.Entries) || !reflect.DeepEqual(after.Wallets, before.Wallets) || !reflect.DeepEqual(after.Holds, before.Holds) {
		return errors.New("repeating finished requests changed the books")
	}
	return nil
}

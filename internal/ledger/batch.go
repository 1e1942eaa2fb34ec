package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// batch is one transaction in the making: what it has read, and what it will
// write. Operations see the effects of those before them.
type batch struct {
	ledger  *Ledger
	tx      Tx
	now     time.Time
	changes Changes

	wallets  map[Subject]Wallet
	changed  []Subject // in order of first change
	dirty    map[Subject]bool
	requests map[RequestKey]remembered
	events   map[string]Receipt // mints of this batch by external event id
	refunded map[string]int64   // refunds of this batch by entry id, in tokens
	rollups  rollups
	holds    kept[HoldRow]
	grants   kept[Grant]
	// spendings are those of the keys that spent.
	spendings kept[KeySpending]
	// grantsRead is what the store had of the wallets with grants.
	grantsRead map[Subject][]Grant
}

// remembered is an operation of this very batch, which a later one repeats.
type remembered struct {
	fingerprint Hash
	receipt     Receipt
	results     []Result // of a UseBatch
}

// commitBatch applies the jobs in order, stores the effects in one transaction
// and fills in each job's answer. On an error nothing was stored, as far as
// anybody knows, and no job may be answered from it.
func (l *Ledger) commitBatch(jobs []*job) error {
	tx, err := l.store.Begin(context.Background())
	if err != nil {
		return err
	}
	b := newBatch(l, tx)
	for _, j := range jobs {
		if j.err = j.ctx.Err(); j.err != nil {
			continue // the caller left before its turn: it gets nothing
		}
		if err := b.answer(j); err != nil {
			// A row that cannot be read is one operation's trouble, not its neighbours'.
			return rollback(tx, fmt.Errorf("%w: %w", ErrConflict, err))
		}
	}
	if err := b.store(); err != nil {
		return err
	}
	b.publish()
	return nil
}

func newBatch(l *Ledger, tx Tx) *batch {
	return &batch{
		ledger:   l,
		tx:       tx,
		now:      l.options.Now().UTC().Truncate(time.Millisecond),
		wallets:  make(map[Subject]Wallet),
		dirty:    make(map[Subject]bool),
		requests: make(map[RequestKey]remembered),
		events:   make(map[string]Receipt),
		refunded: make(map[string]int64),

		grantsRead: make(map[Subject][]Grant),
	}
}

// answer performs a job. Its error is the store's, or a broken rule's.
func (b *batch) answer(j *job) (err error) {
	// A rule that breaks its own promises is stopped before the disk, and the
	// process goes on. The operations beside it are innocent.
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%v", fault)
		}
	}()
	if j.uses != nil {
		j.results, j.receipt, j.err = b.doUses(*j.uses)
	} else {
		j.receipt, j.err = b.do(j.op)
	}
	return fault(j.err)
}

// fault lets refusals pass: they are answers.
func fault(err error) error {
	if err == nil || CodeOf(err) != "" || errors.Is(err, errNothingDue) {
		return nil
	}
	return err
}

// do performs one operation on the batch's view. Errors without a Code are the
// store's and end the batch.
func (b *batch) do(op Operation) (Receipt, error) {
	receipt, known, err := b.replay(op)
	if err != nil || known {
		return receipt, err
	}
	if refusal := op.request().Refusal; refusal != nil {
		return Receipt{}, refusal
	}
	if err := b.expireDue(op.request().Subject); err != nil {
		return Receipt{}, err
	}
	outcome, err := b.perform(op)
	if err != nil {
		return Receipt{}, err
	}
	if closesHold(outcome) {
		if err := b.expireDue(op.request().Subject); err != nil {
			return Receipt{}, err
		}
	}
	return receiptOf(outcome), nil
}

// perform applies an operation and records what it does.
func (b *batch) perform(op Operation) (Outcome, error) {
	wallet, err := b.wallet(op.request().Subject)
	if err != nil {
		return Outcome{}, err
	}
	facts, err := b.facts(op, wallet)
	if err != nil {
		return Outcome{}, err
	}
	outcome, err := Apply(wallet, op, facts)
	if err != nil {
		return Outcome{}, err
	}
	b.record(op, outcome)
	return outcome, nil
}

func closesHold(outcome Outcome) bool {
	return outcome.Hold != nil && outcome.Hold.State != HoldOpen
}

func (b *batch) wallet(subject Subject) (Wallet, error) {
	if wallet, ok := b.wallets[subject]; ok {
		return wallet, nil
	}
	if wallet, ok, _ := b.ledger.cache.Get(subject); ok {
		return wallet, nil
	}
	wallet, found, err := b.tx.Wallet(subject)
	if err != nil {
		return Wallet{}, err
	}
	if !found {
		return Wallet{}, notFound(subject)
	}
	b.wallets[subject] = wallet
	return wallet, nil
}

// record adds an outcome to what the batch will write and to what later
// operations of the batch will see.
func (b *batch) record(op Operation, outcome Outcome) {
	subject := outcome.Wallet.Subject
	if !b.dirty[subject] {
		b.dirty[subject] = true
		b.changed = append(b.changed, subject)
	}
	b.wallets[subject] = outcome.Wallet

	if outcome.Entry != nil {
		b.changes.Entries = append(b.changes.Entries, outcome.Entry)
	}
	if outcome.Usage != nil {
		b.changes.Usage = append(b.changes.Usage, outcome.Usage)
		b.rollups.add(outcome.Usage)
	}
	if outcome.Audit != nil {
		b.changes.Audit = append(b.changes.Audit, outcome.Audit)
	}
	if outcome.Entitlement != nil {
		b.changes.Entitlements = append(b.changes.Entitlements, Entitlement{Subject: subject, At: b.now, PlanChange: *outcome.Entitlement})
	}
	if outcome.Hold != nil {
		b.holds.put(outcome.Hold.ID, *outcome.Hold)
	}
	for _, grant := range outcome.Grants {
		b.grants.put(grant.ID, grant)
	}
	if outcome.Spending != nil {
		b.spendings.put(outcome.Spending.KeyID, *outcome.Spending)
	}
	b.changes.Moves = append(b.changes.Moves, outcome.Moves...)
	b.remember(op, outcome)
}

// store writes and commits. A batch of refusals and replays has nothing to store.
func (b *batch) store() error {
	if len(b.changed) == 0 && len(b.changes.Requests) == 0 {
		return b.tx.Rollback()
	}
	for _, subject := range b.changed {
		b.changes.Wallets = append(b.changes.Wallets, b.wallets[subject])
	}
	b.changes.Daily, b.changes.Quarters = b.rollups.rows()
	b.changes.Holds, b.changes.Grants = b.holds.rows(), b.grants.rows()
	b.changes.Spending = b.spendings.rows()
	if err := b.tx.Write(&b.changes); err != nil {
		return rollback(b.tx, err)
	}
	return b.tx.Commit()
}

// publish makes the committed wallets visible to readers.
func (b *batch) publish() {
	for _, wallet := range b.changes.Wallets {
		b.ledger.cache.Put(wallet.Subject, wallet)
	}
	b.ledger.holds.stored(b.changes.Holds)
	if b.ledger.options.OnCommit != nil && len(b.changes.Wallets) > 0 {
		b.ledger.options.OnCommit(b.changes.Wallets)
	}
}

// rollback gives the transaction up and returns the cause; a rollback that fails
// changes nothing about it, because an uncommitted transaction is never kept.
func rollback(tx Tx, cause error) error {
	if err := tx.Rollback(); err != nil {
		return errors.Join(cause, err)
	}
	return cause
}

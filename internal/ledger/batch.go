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
	daily    map[dailyKey]int   // index into changes.Daily
}

// remembered is an operation of this very batch, which a later one repeats.
type remembered struct {
	fingerprint Hash
	receipt     Receipt
}

type dailyKey struct {
	subject Subject
	day     string
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
		j.receipt, j.err = b.doSafely(j.op)
		if j.err != nil && CodeOf(j.err) == "" {
			// A row that cannot be read is one operation's trouble, not its neighbours'.
			return rollback(tx, fmt.Errorf("%w: %w", ErrConflict, j.err))
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
		daily:    make(map[dailyKey]int),
	}
}

// doSafely stops a rule that breaks its own promises before the disk, and the
// process goes on. The operations beside it are innocent, so it is a conflict.
func (b *batch) doSafely(op Operation) (receipt Receipt, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			receipt, err = Receipt{}, fmt.Errorf("%w: %v", ErrConflict, fault)
		}
	}()
	return b.do(op)
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
	wallet, err := b.wallet(op.request().Subject)
	if err != nil {
		return Receipt{}, err
	}
	facts, err := b.facts(op)
	if err != nil {
		return Receipt{}, err
	}
	outcome, err := Apply(wallet, op, facts)
	if err != nil {
		return Receipt{}, err
	}
	b.record(op, outcome)
	return receiptOf(outcome), nil
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

func (b *batch) facts(op Operation) (Facts, error) {
	id, err := b.ledger.ids.Next(b.now)
	if err != nil {
		return Facts{}, err
	}
	facts := Facts{Now: b.now, ID: id}
	refund, ok := op.(Refund)
	if !ok {
		return facts, nil
	}
	original, found, err := b.tx.Entry(refund.EntryID)
	if err != nil || !found {
		return facts, err
	}
	stored, err := b.tx.Refunded(refund.EntryID)
	if err != nil {
		return facts, err
	}
	facts.Original = &original
	facts.RefundedTokens = stored + b.refunded[refund.EntryID]
	return facts, nil
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
		b.addDaily(outcome.Usage)
	}
	if outcome.Audit != nil {
		b.changes.Audit = append(b.changes.Audit, outcome.Audit)
	}
	if outcome.Entitlement != nil {
		b.changes.Entitlements = append(b.changes.Entitlements, Entitlement{Subject: subject, At: b.now, PlanChange: *outcome.Entitlement})
	}
	b.remember(op, outcome)
}

func (b *batch) addDaily(usage *UsageRow) {
	key := dailyKey{subject: usage.Subject, day: usage.CreatedAt.Format(time.DateOnly)}
	index, ok := b.daily[key]
	if !ok {
		index = len(b.changes.Daily)
		b.daily[key] = index
		b.changes.Daily = append(b.changes.Daily, DailyUsage{Subject: key.subject, Day: key.day})
	}
	row := &b.changes.Daily[index]
	row.Uses++
	row.Tokens += usage.ChargedTokens
	row.InputTokens += usage.InputTokens
	row.OutputTokens += usage.OutputTokens
}

// store writes and commits. A batch of refusals and replays has nothing to store.
func (b *batch) store() error {
	if len(b.changed) == 0 && len(b.changes.Requests) == 0 {
		return b.tx.Rollback()
	}
	for _, subject := range b.changed {
		b.changes.Wallets = append(b.changes.Wallets, b.wallets[subject])
	}
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

package ledger

import (
	"errors"
	"time"
)

// replay answers an operation that was done before, in this batch or ever.
func (b *batch) replay(op Operation) (Receipt, bool, error) {
	receipt, known, err := b.replayKey(op)
	if err != nil || known {
		return receipt, known, err
	}
	mint, ok := op.(Mint)
	if !ok || mint.ExternalEventID == "" {
		return Receipt{}, false, nil
	}
	receipt, known, err = b.replayExternalEvent(mint)
	if known && err == nil {
		b.rememberKey(op, receipt) // a new key for an old event is used from now on
	}
	return receipt, known, err
}

func (b *batch) replayKey(op Operation) (Receipt, bool, error) {
	key, ok := requestKey(op)
	if !ok {
		return Receipt{}, false, nil
	}
	if earlier, ok := b.requests[key]; ok {
		return earlier.repeat(fingerprint(op))
	}
	stored, found, err := b.tx.Request(key)
	if err != nil || !found {
		return Receipt{}, false, err
	}
	if stored.Fingerprint != fingerprint(op) {
		return Receipt{}, true, mismatch("Idempotency-Key")
	}
	receipt, err := b.receiptOf(stored)
	return receipt, true, err
}

func (b *batch) replayExternalEvent(mint Mint) (Receipt, bool, error) {
	const what = "externalEventId"
	if earlier, ok := b.events[mint.ExternalEventID]; ok {
		if !sameMint(*earlier.Entry, mint) {
			return Receipt{}, true, mismatch(what)
		}
		earlier.Replayed = true
		return earlier, true, nil
	}
	entry, found, err := b.tx.EntryByExternalEvent(mint.ExternalEventID)
	if err != nil || !found {
		return Receipt{}, false, err
	}
	if !sameMint(entry, mint) {
		return Receipt{}, true, mismatch(what)
	}
	wallet, err := b.wallet(mint.Subject)
	if err != nil {
		return Receipt{}, true, err
	}
	now := standing(wallet)
	now.Balance = entry.BalanceAfter // the first result, whatever happened since
	return Receipt{Entry: &entry, Wallet: now, Replayed: true}, true, nil
}

// repeat answers from an operation of the same batch.
func (r remembered) repeat(fingerprint Hash) (Receipt, bool, error) {
	if r.fingerprint != fingerprint {
		return Receipt{}, true, mismatch("Idempotency-Key")
	}
	receipt := r.receipt
	receipt.Replayed = true
	return receipt, true, nil
}

// receiptOf puts the first result of a stored request together again.
func (b *batch) receiptOf(stored StoredRequest) (Receipt, error) {
	receipt := Receipt{Wallet: stored.Wallet, Refundable: stored.Refundable, Hold: stored.Hold, Replayed: true}
	if stored.EntryID == "" {
		return receipt, nil
	}
	entry, found, err := b.tx.Entry(stored.EntryID)
	if err != nil {
		return Receipt{}, err
	}
	if !found {
		return Receipt{}, errors.New("ledger: a finished request names an entry that is gone: " + stored.EntryID)
	}
	receipt.Entry = &entry
	if stored.Key.Kind != KindUse && stored.Key.Kind != KindSettle {
		return receipt, nil
	}
	usage, found, err := b.tx.Usage(entry.ID)
	if err != nil {
		return Receipt{}, err
	}
	if found { // usage rows are archived after a while; the entry stays
		receipt.Usage = &usage
	}
	return receipt, nil
}

// remember keeps an operation for those of the same batch that repeat it, and
// adds its key to what the batch stores.
func (b *batch) remember(op Operation, outcome Outcome) {
	receipt := receiptOf(outcome)
	b.rememberKey(op, receipt)
	switch op := op.(type) {
	case Mint:
		if op.ExternalEventID != "" {
			b.events[op.ExternalEventID] = receipt
		}
	case Refund:
		b.refunded[op.EntryID] += absolute(outcome.Entry.Amount)
	}
}

func (b *batch) rememberKey(op Operation, receipt Receipt) {
	key, ok := requestKey(op)
	if !ok {
		return
	}
	kept := remembered{fingerprint: fingerprint(op), receipt: receipt}
	b.requests[key] = kept
	b.changes.Requests = append(b.changes.Requests, storedRequest(key, kept, b.now))
}

func storedRequest(key RequestKey, kept remembered, now time.Time) *StoredRequest {
	stored := &StoredRequest{
		Key:         key,
		Fingerprint: kept.fingerprint,
		Wallet:      kept.receipt.Wallet,
		Refundable:  kept.receipt.Refundable,
		Hold:        kept.receipt.Hold,
		CreatedAt:   now,
	}
	if kept.receipt.Entry != nil {
		stored.EntryID = kept.receipt.Entry.ID
	}
	return stored
}

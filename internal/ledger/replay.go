package ledger

import "errors"

// replay answers an operation that was done before, in this batch or ever.
func (b *batch) replay(op Operation) (Receipt, bool, error) {
	receipt, known, err := b.replayKey(op)
	if err != nil || known {
		return receipt, known, err
	}
	if mint, ok := op.(Mint); ok && mint.ExternalEventID != "" {
		return b.replayExternalEvent(mint)
	}
	return Receipt{}, false, nil
}

func (b *batch) replayKey(op Operation) (Receipt, bool, error) {
	key, ok := requestKey(op)
	if !ok {
		return Receipt{}, false, nil
	}
	if earlier, ok := b.requests[key]; ok {
		return earlier.repeat(fingerprint(op), "Idempotency-Key")
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
		if !sameMint(*earlier.receipt.Entry, mint) {
			return Receipt{}, true, mismatch(what)
		}
		return earlier.repeat(earlier.fingerprint, what)
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
func (r remembered) repeat(fingerprint Hash, what string) (Receipt, bool, error) {
	if r.fingerprint != fingerprint {
		return Receipt{}, true, mismatch(what)
	}
	receipt := r.receipt
	receipt.Replayed = true
	return receipt, true, nil
}

// receiptOf puts the first result of a stored request together again.
func (b *batch) receiptOf(stored StoredRequest) (Receipt, error) {
	receipt := Receipt{Wallet: stored.Wallet, Refundable: stored.Refundable, Replayed: true}
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
	if stored.Key.Kind != KindUse {
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
	kept := remembered{receipt: receiptOf(outcome)}
	if key, ok := requestKey(op); ok {
		kept.fingerprint = fingerprint(op)
		b.requests[key] = kept
		b.changes.Requests = append(b.changes.Requests, storedRequest(key, kept, b))
	}
	switch op := op.(type) {
	case Mint:
		if op.ExternalEventID != "" {
			b.events[op.ExternalEventID] = kept
		}
	case Refund:
		b.refunded[op.EntryID] += absolute(outcome.Entry.Amount)
	}
}

func storedRequest(key RequestKey, kept remembered, b *batch) *StoredRequest {
	stored := &StoredRequest{
		Key:         key,
		Fingerprint: kept.fingerprint,
		Wallet:      kept.receipt.Wallet,
		Refundable:  kept.receipt.Refundable,
		CreatedAt:   b.now,
	}
	if kept.receipt.Entry != nil {
		stored.EntryID = kept.receipt.Entry.ID
	}
	return stored
}

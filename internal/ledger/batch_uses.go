package ledger

import "fmt"

// UseBatch is up to MaxBatchUses uses of one wallet, stored in one transaction.
// Each is allowed or refused by itself; only a wallet that is not there refuses
// them all, and nothing is remembered. A use may carry an idempotency key of its
// own, which is the same as that of a single Use.
type UseBatch struct {
	Request
	Uses []Use
}

func (u UseBatch) validate() error {
	if err := validRequest(u.Request); err != nil {
		return err
	}
	if len(u.Uses) < 1 || len(u.Uses) > MaxBatchUses {
		return Invalid("uses", fmt.Sprintf("uses must be a list of 1 to %d uses.", MaxBatchUses))
	}
	return nil
}

func (u UseBatch) key() (RequestKey, bool) {
	if u.IdempotencyKey == "" {
		return RequestKey{}, false
	}
	return RequestKey{Subject: u.Subject, Kind: KindBatch, Key: u.IdempotencyKey}, true
}

// fingerprint covers what each use is; one that could not be read is its text.
func (u UseBatch) fingerprint() Hash {
	d := newDigest("sokuji batch request v1")
	d.text(string(u.Subject.Type))
	d.text(u.Subject.ID)
	d.number(int64(len(u.Uses)))
	for _, use := range u.Uses {
		d.text(use.IdempotencyKey)
		use.fields(d)
	}
	return d.sum()
}

// doUses performs a whole batch on the transaction's view, or answers as the
// first time.
func (b *batch) doUses(uses UseBatch) ([]Result, Receipt, error) {
	key, keyed := uses.key()
	if keyed {
		results, known, err := b.replayUses(key, uses)
		if err != nil || known {
			return results, Receipt{Replayed: true}, err
		}
	}
	if _, err := b.wallet(uses.Subject); err != nil {
		return nil, Receipt{}, err // nothing of it can be done, so its key stays free
	}
	results := make([]Result, 0, len(uses.Uses))
	for _, use := range uses.Uses {
		result, err := b.doOne(uses, use)
		if err != nil {
			return nil, Receipt{}, err
		}
		results = append(results, result)
	}
	if keyed {
		b.rememberUses(key, uses, results)
	}
	return results, Receipt{}, nil
}

// doOne performs one use. Its error is the store's.
func (b *batch) doOne(uses UseBatch, use Use) (Result, error) {
	use.Subject, use.Actor, use.Authority, use.Spender = uses.Subject, uses.Actor, uses.Authority, uses.Spender
	if err := firstError(validRequest(use.Request), acceptable(use)); err != nil {
		return Result{Err: err}, nil
	}
	receipt, err := b.do(use)
	return Result{Receipt: receipt, Err: err}, fault(err)
}

func (b *batch) replayUses(key RequestKey, uses UseBatch) ([]Result, bool, error) {
	if earlier, ok := b.requests[key]; ok {
		if earlier.fingerprint != uses.fingerprint() {
			return nil, true, mismatch("Idempotency-Key")
		}
		return earlier.results, true, nil
	}
	stored, found, err := b.tx.Request(key)
	if err != nil || !found {
		return nil, false, err
	}
	if stored.Fingerprint != uses.fingerprint() {
		return nil, true, mismatch("Idempotency-Key")
	}
	results := make([]Result, 0, len(stored.Items))
	for _, item := range stored.Items {
		result, err := b.resultOf(item)
		if err != nil {
			return nil, true, err
		}
		results = append(results, result)
	}
	return results, true, nil
}

func (b *batch) resultOf(item StoredItem) (Result, error) {
	if item.Code != "" {
		return Result{Err: &Error{Code: item.Code, Field: item.Field, Message: item.Message}}, nil
	}
	receipt, err := b.receiptOf(StoredRequest{
		Key: RequestKey{Kind: KindUse}, EntryID: item.EntryID, Wallet: item.Wallet,
	})
	return Result{Receipt: receipt}, err
}

func (b *batch) rememberUses(key RequestKey, uses UseBatch, results []Result) {
	kept := remembered{fingerprint: uses.fingerprint(), results: results}
	b.requests[key] = kept
	stored := storedRequest(key, kept, b.now)
	stored.Items = make([]StoredItem, 0, len(results))
	for _, result := range results {
		stored.Items = append(stored.Items, storedItem(result))
	}
	b.changes.Requests = append(b.changes.Requests, stored)
}

func storedItem(result Result) StoredItem {
	if result.Err == nil {
		return StoredItem{EntryID: result.Receipt.Entry.ID, Wallet: result.Receipt.Wallet}
	}
	refusal := asError(result.Err)
	return StoredItem{Code: refusal.Code, Field: refusal.Field, Message: refusal.Message}
}

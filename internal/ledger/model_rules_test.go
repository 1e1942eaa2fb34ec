package ledger_test

import (
	"cmp"
	"slices"

	"sokuji/internal/ledger"
)

// expected is what the model foresees: a refusal, or the effect.
type expected struct {
	code       ledger.Code
	change     int64 // of the balance
	balance    int64 // right after the operation
	held       int64
	refundable int64
	hold       *modelHold // as the operation leaves it
}

// do performs an operation that was not done before. id is that of the entry or
// the hold which the real ledger made, if it did.
func (m *model) do(op ledger.Operation, subject ledger.Subject, id string) expected {
	m.expire(subject)
	before := m.wallets[subject].balance()
	want := m.perform(op, subject, id)
	if want.code != "" {
		return want
	}
	w := m.wallets[subject]
	want.balance, want.held = w.balance(), m.held(subject)
	want.change = want.balance - before
	if want.hold != nil {
		after := *want.hold
		want.hold = &after
		if after.state != ledger.HoldOpen {
			m.expire(subject)
		}
	}
	return want
}

func (m *model) perform(op ledger.Operation, subject ledger.Subject, id string) expected {
	w := m.wallets[subject]
	switch op := op.(type) {
	case ledger.Mint:
		return m.mint(op, w, id)
	case ledger.Use:
		return m.use(op, w, id)
	case ledger.Adjust:
		return m.adjust(op, w)
	case ledger.Refund:
		return m.refund(op, w)
	case ledger.Hold:
		return m.open(op, w, id)
	case ledger.Extend:
		return m.extend(op, w)
	case ledger.Settle:
		return m.settle(op, w, id)
	case ledger.Release:
		return m.release(op)
	case ledger.Freeze:
		w.frozen = op.Reason
	case ledger.Unfreeze:
		w.frozen = ""
	}
	return expected{}
}

func (w *modelWallet) lift() {
	if w.frozen == ledger.FrozenNegativeBalance && w.balance() >= 0 {
		w.frozen = ""
	}
}

func (m *model) mint(op ledger.Mint, w *modelWallet, id string) expected {
	if !op.ExpiresAt.IsZero() && !op.ExpiresAt.After(m.now) {
		return expected{code: ledger.CodeInvalidRequest}
	}
	w.add(op.Amount, modelToken{mint: id, expiresAt: op.ExpiresAt})
	w.lift()
	m.originals[id] = &modelOriginal{subject: op.Subject, credit: true, left: op.Amount}
	m.entry(op.Subject)
	return expected{}
}

func (m *model) use(op ledger.Use, w *modelWallet, id string) expected {
	if w.frozen != "" {
		return expected{code: ledger.CodeWalletFrozen}
	}
	if !op.AllowNegative && m.available(op.Subject) < op.Amount {
		return expected{code: ledger.CodeInsufficientBalance}
	}
	if !m.keyMaySpend(op.Spender, op.Amount) {
		return expected{code: ledger.CodeSpendLimitReached}
	}
	m.countUse(op.Spender.KeyID, op.Amount)
	m.originals[id] = &modelOriginal{subject: op.Subject, left: op.Amount, took: m.spend(w, op.Amount, false)}
	m.entry(op.Subject)
	return expected{}
}

func (m *model) adjust(op ledger.Adjust, w *modelWallet) expected {
	if op.Amount < 0 && m.available(op.Subject)+op.Amount < 0 {
		return expected{code: ledger.CodeInsufficientBalance}
	}
	if op.Amount < 0 {
		m.spend(w, -op.Amount, false)
	} else {
		w.add(op.Amount, modelToken{})
	}
	w.lift()
	m.entry(op.Subject)
	return expected{}
}

func (m *model) refund(op ledger.Refund, w *modelWallet) expected {
	original, known := m.originals[op.EntryID]
	if !known || original.subject != op.Subject {
		return expected{code: ledger.CodeInvalidRequest}
	}
	amount := op.Amount
	if amount == 0 {
		amount = original.left
	}
	if original.left <= 0 || amount > original.left {
		return expected{code: ledger.CodeOverRefund}
	}
	original.left -= amount
	if original.credit {
		m.reverse(w, amount, op.EntryID)
		if w.balance() < 0 && w.frozen == "" {
			w.frozen = ledger.FrozenNegativeBalance
		}
	} else {
		m.giveBack(original, w, amount)
	}
	w.lift()
	m.entry(op.Subject)
	return expected{refundable: original.left}
}

// giveBack returns the tokens of a use: a debt is paid first, then those that
// still live come back as what they were, and the others without an expiry. A mint
// never has more tokens than may still be reversed of it.
func (m *model) giveBack(use *modelOriginal, w *modelWallet, amount int64) {
	paid := min(amount, w.debt)
	w.debt -= paid
	amount -= paid
	soonest := use.took
	slices.SortStableFunc(soonest, func(a, b modelToken) int { return a.expiresAt.Compare(b.expiresAt) })
	var dead []modelToken
	for _, token := range soonest {
		if amount == 0 || !token.expiresAt.After(m.now) || w.countOf(token.mint) >= m.originals[token.mint].left {
			dead = append(dead, token)
			continue
		}
		w.add(1, token)
		amount--
	}
	use.took = dead
	w.add(amount, modelToken{})
}

func (w *modelWallet) countOf(mint string) (count int64) {
	for _, token := range w.dated {
		if token.mint == mint {
			count++
		}
	}
	return count
}

func (m *model) open(op ledger.Hold, w *modelWallet, id string) expected {
	if w.frozen != "" {
		return expected{code: ledger.CodeWalletFrozen}
	}
	if m.available(op.Subject) < op.Amount {
		return expected{code: ledger.CodeInsufficientBalance}
	}
	if !m.keyMaySpend(op.Spender, op.Amount) {
		return expected{code: ledger.CodeSpendLimitReached}
	}
	m.holds[id] = &modelHold{key: op.Spender.KeyID, isGateways: op.Reference != "", subject: op.Subject, amount: op.Amount, state: ledger.HoldOpen, created: m.now, deadline: m.now.Add(op.Duration)}
	return expected{hold: m.holds[id]}
}

// named returns a hold of the wallet that whoever asks may touch.
func (m *model) named(id string, with ledger.Request) (*modelHold, ledger.Code) {
	hold, known := m.holds[id]
	switch {
	case !known || hold.subject != with.Subject:
		return nil, ledger.CodeHoldNotFound
	case hold.isGateways && with.Authority == ledger.AsClient:
		return nil, ledger.CodeForbidden
	}
	return hold, ""
}

// find returns one that is open and in time.
func (m *model) find(id string, with ledger.Request) (*modelHold, ledger.Code) {
	hold, code := m.named(id, with)
	if code != "" {
		return nil, code
	}
	if hold.state != ledger.HoldOpen || !hold.deadline.After(m.now) {
		return nil, ledger.CodeHoldNotOpen
	}
	return hold, ""
}

func (m *model) extend(op ledger.Extend, w *modelWallet) expected {
	hold, code := m.find(op.HoldID, op.Request)
	if code != "" {
		return expected{code: code}
	}
	if op.Spender.KeyID != "" && hold.key != "" && hold.key != op.Spender.KeyID {
		return expected{code: ledger.CodeHoldNotFound}
	}
	if w.frozen != "" {
		return expected{code: ledger.CodeWalletFrozen}
	}
	if m.available(op.Subject) < op.Amount {
		return expected{code: ledger.CodeInsufficientBalance}
	}
	reserved := op.Amount
	if hold.key == "" {
		reserved += hold.amount // a hold of nobody becomes the key's
	}
	if !m.keyMaySpend(op.Spender, reserved) {
		return expected{code: ledger.CodeSpendLimitReached}
	}
	hold.key = cmp.Or(hold.key, op.Spender.KeyID)
	hold.amount += op.Amount
	if deadline := m.now.Add(op.Duration); deadline.After(hold.deadline) {
		hold.deadline = deadline
	}
	return expected{hold: hold}
}

func (m *model) settle(op ledger.Settle, w *modelWallet, id string) expected {
	hold, code := m.named(op.HoldID, op.Request)
	if code != "" {
		return expected{code: code}
	}
	if hold.state != ledger.HoldOpen && hold.state != ledger.HoldExpired {
		return expected{code: ledger.CodeHoldNotOpen}
	}
	if code := m.maySettle(op, hold); code != "" {
		return expected{code: code}
	}
	hold.state, hold.key = ledger.HoldSettled, cmp.Or(hold.key, op.Spender.KeyID)
	m.countUse(hold.key, op.Amount)
	m.originals[id] = &modelOriginal{subject: op.Subject, left: op.Amount, took: m.spend(w, op.Amount, true)}
	m.entry(op.Subject)
	return expected{hold: hold}
}

// maySettle: a client that settles with more than its hold keeps for it asks for
// what there is without the hold.
func (m *model) maySettle(op ledger.Settle, hold *modelHold) ledger.Code {
	if op.Authority != ledger.AsClient {
		return ""
	}
	state := hold.state
	defer func() { hold.state = state }()
	kept := int64(0)
	if state == ledger.HoldOpen && hold.deadline.After(m.now) {
		kept = hold.amount
	}
	hold.state = ledger.HoldReleased
	if op.Amount > kept && op.Amount > m.available(op.Subject) {
		return ledger.CodeInsufficientBalance
	}
	if hold.key == "" {
		kept = 0 // nothing of it was reserved for the key
	}
	isAnothers := hold.key != "" && hold.key != op.Spender.KeyID
	if op.Amount > kept && (isAnothers || !m.keyMaySpend(op.Spender, op.Amount)) {
		return ledger.CodeSpendLimitReached
	}
	return ""
}

func (m *model) release(op ledger.Release) expected {
	hold, code := m.find(op.HoldID, op.Request)
	if code != "" {
		return expected{code: code}
	}
	hold.state = ledger.HoldReleased
	return expected{hold: hold}
}

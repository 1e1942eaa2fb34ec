package ledger

import (
	"encoding/json"
	"fmt"
	"time"
)

// Facts is everything that a rule may depend on beside the wallet and the
// operation. The writer looks them up; the rules stay pure.
type Facts struct {
	Now time.Time // UTC, whole milliseconds
	ID  string    // the id that the entry or the audit row will carry
	// Original and RefundedTokens are set for a Refund: the entry it names, and
	// what earlier refunds, or the expiry of its grant, have already taken from it
	// (never negative).
	Original       *Entry
	RefundedTokens int64
	// Taken is, for the refund of a use, what it still has from each grant, TakenFrom
	// those grants, and Reversed what refunds of their mints took back.
	Taken     map[string]int64
	TakenFrom []Grant
	Reversed  map[string]int64
	// Hold is the hold that the operation names, nil when there is none.
	Hold *HoldRow
	// Spending is that of the key which the operation counts for, nil when no key
	// spends.
	Spending *KeySpending
	// Grants are the wallet's live grants with tokens left.
	Grants []Grant
	// Grant and OpenHolds are set for an expireGrant: the grant, and the wallet's
	// open holds.
	Grant     *Grant
	OpenHolds []HoldRow
}

// Outcome is what an operation does. Everything in it becomes durable together.
type Outcome struct {
	Wallet      Wallet
	Entry       *Entry
	Usage       *UsageRow
	Audit       *AuditRow
	Entitlement *PlanChange
	Hold        *HoldRow // as it is now
	Grants      []Grant  // those that changed, as they are now
	Moves       []GrantMove
	Spending    *KeySpending // of the key, as it is now
	// Refundable is what is left of the original after a Refund, in tokens.
	Refundable int64
}

// Apply is the rule book: what op does to wallet, or why it is refused. It is
// pure: the same arguments give the same answer, and nothing is written.
// Refusals are *Error; the wallet in the Outcome then has no meaning.
func Apply(wallet Wallet, op Operation, facts Facts) (Outcome, error) {
	if err := op.validate(); err != nil {
		return Outcome{}, err
	}
	outcome, err := op.apply(wallet, facts)
	if err == nil {
		err = outcome.countForKey(op, facts)
	}
	if err != nil {
		return Outcome{}, err
	}
	assertSound(wallet, outcome)
	assertReserved(wallet, outcome, facts)
	return outcome, nil
}

// assertSound stops a wrong rule before it reaches the disk: a bug in this
// package must never become money.
func assertSound(before Wallet, outcome Outcome) {
	after := outcome.Wallet
	moved := int64(0)
	if outcome.Entry != nil {
		moved = outcome.Entry.Amount
		if outcome.Entry.Seq != before.Seq+1 || outcome.Entry.PrevHash != before.Head {
			panic("ledger: an entry does not continue its wallet's chain")
		}
		if outcome.Entry.BalanceAfter != after.Balance || outcome.Entry.Hash != after.Head {
			panic("ledger: an entry disagrees with the wallet it leads to")
		}
	}
	if after.Balance != before.Balance+moved {
		panic("ledger: a balance moved without an entry")
	}
	if after.Held < 0 || after.Frozen != (after.FrozenReason != "") {
		panic("ledger: a wallet broke its own rules")
	}
}

// assertReserved does the same for holds and grants.
func assertReserved(before Wallet, outcome Outcome, facts Facts) {
	var held, expiring int64
	if outcome.Hold != nil {
		held = outcome.Hold.reserved()
		if facts.Hold != nil {
			held -= facts.Hold.reserved()
		}
	}
	for _, move := range outcome.Moves {
		expiring += move.Tokens
	}
	after := outcome.Wallet
	if after.Held != before.Held+held {
		panic("ledger: held tokens moved without their hold")
	}
	if after.Expiring != before.Expiring+expiring {
		panic("ledger: expiring tokens moved without their grant")
	}
	if after.Expiring < 0 || after.Expiring > max(0, after.Balance) {
		panic("ledger: more tokens would expire than there are")
	}
	for _, grant := range outcome.Grants {
		if grant.Remaining < 0 || grant.Remaining > grant.Amount {
			panic("ledger: a grant has more or less tokens than it can")
		}
	}
}

// post appends an entry to the wallet's chain and moves its balance.
func post(wallet Wallet, entry Entry, facts Facts) (Wallet, *Entry, error) {
	balance := wallet.Balance + entry.Amount // both are far below the overflow of int64
	if balance > MaxBalanceTokens || balance < -MaxBalanceTokens {
		return wallet, nil, Invalid("amount", fmt.Sprintf(
			"amount would take the balance past %d tokens, the most that a wallet can hold.", MaxBalanceTokens))
	}
	entry.ID = facts.ID
	entry.Subject = wallet.Subject
	entry.Seq = wallet.Seq + 1
	entry.BalanceAfter = balance
	entry.CreatedAt = facts.Now
	entry.PrevHash = wallet.Head
	entry.Hash = entry.ComputeHash()

	wallet.Balance = balance
	wallet.Seq = entry.Seq
	wallet.Head = entry.Hash
	wallet.UpdatedAt = facts.Now
	return wallet, &entry, nil
}

// stamp copies the idempotency key and the hash of its request onto an entry.
func stamp(entry Entry, op Operation) Entry {
	key := op.request().IdempotencyKey
	if key == "" {
		return entry
	}
	entry.IdempotencyKey = key
	entry.RequestHash = fingerprint(op).String()
	return entry
}

// audit writes down an act by hand. Details are facts, never secrets.
func audit(op Operation, facts Facts, reason string, details map[string]any) *AuditRow {
	var encoded json.RawMessage
	if details != nil {
		var err error
		if encoded, err = json.Marshal(details); err != nil {
			panic("ledger: audit details do not encode: " + err.Error())
		}
	}
	return &AuditRow{
		ID:        facts.ID,
		Actor:     op.request().Actor,
		Action:    "wallet." + string(op.kind()),
		Subject:   op.request().Subject,
		Reason:    reason,
		Details:   encoded,
		CreatedAt: facts.Now,
	}
}

func insufficient(wallet Wallet, needed int64) error {
	return &Error{
		Code: CodeInsufficientBalance,
		Message: fmt.Sprintf("%d tokens are needed and %d are available: top up the wallet, then try again.",
			needed, wallet.Available()),
		Wallet: &wallet,
	}
}

func frozen(wallet Wallet) error {
	return &Error{
		Code:    CodeWalletFrozen,
		Message: "The wallet is frozen: nothing can be spent until an admin unfreezes it.",
		Wallet:  &wallet,
	}
}
